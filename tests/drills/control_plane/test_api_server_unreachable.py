"""Drill 10. The daemon can't reach the API server for 60 s, while a healthy run trains.

In a second drill, every second connection is refused for 60 s, while ten healthy runs train. If the daemon can't
read the state of a run, it must not take the run for lost: the run succeeds, is never failed, and has no retry.
"""

import time

from tests.drills.support.adapter import stop_service
from tests.drills.support.claims import assert_none_given_up, assert_unharmed
from tests.drills.support.cluster import list_pods, make_selector
from tests.drills.support.platform import LONG

RUNS, REFUSED = 10, 60


class DeclaredLost(AssertionError):
    """The daemon failed a healthy run."""


def locate_daemons(platform) -> list[dict[str, str]]:
    """The node and the address of each daemon, and the address of the API server."""
    api = platform.kubectl("get", "service", "kubernetes", "-n", "default", "-o", "jsonpath={.spec.clusterIP}")
    found = list_pods(make_selector("daemon"))
    assert found
    return [{"node": pod["spec"]["nodeName"], "ip": pod["status"]["podIP"], "api": api} for pod in found]


def test_a_healthy_run_is_not_given_up_while_nobody_can_ask_how_it_is(platform, expected_long_digests) -> None:
    run, _ = platform.train_for(lasting=LONG)
    fault = f"API server unreachable from the daemon for {REFUSED} s"
    try:
        struck = time.time()
        with stop_service("API", *locate_daemons(platform)):
            time.sleep(REFUSED)
        platform.wait_until(
            "the run is over", lambda: platform.find_pod(run)["status"]["phase"] in {"Succeeded", "Failed"}, 300
        )
        ended = [event["at"] for event in platform.read_events(run, "RunSuccessEvent")]
        assert not ended or ended[0] > struck + 20, "the run was over before the daemon could ask for its state"
        if platform.read_events(run, "RunFailureEvent"):
            platform.record(
                fault=fault, **platform.count_repetitions(run, *platform.find_runs("dagster/root_run_id", run))
            )
            raise DeclaredLost(f"run {run} was healthy, and was failed")
        assert_unharmed(platform, expected_long_digests, fault, run)
    finally:
        # Retries, if there are any, would still train during the next drill.
        platform.wait_until("all retries have ended", lambda: have_all_ended(platform, run), 300)


def test_of_ten_healthy_runs_none_is_given_up_while_every_second_question_is_refused(
    platform, expected_digests
) -> None:
    runs = platform.train_many(RUNS)
    with stop_service("API_HALF", *locate_daemons(platform)):
        time.sleep(REFUSED)
        under_way = [run for run in runs if platform.webserver.read_run(run)["status"] == "STARTED"]
        assert under_way, "all runs were over before the connections were served again"
    fault = f"API server refuses every second connection for {REFUSED} s"
    assert_none_given_up(platform, expected_digests, fault, runs)


def have_all_ended(platform, run: str) -> bool:
    """Whether a run and all its retries have ended."""
    runs = [run, *platform.find_runs("dagster/root_run_id", run)]
    return all("endTime" in (record := platform.webserver.read_run(each)) and record["endTime"] for each in runs)
