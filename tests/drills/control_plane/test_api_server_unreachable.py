"""Drill 10. The daemon can't reach the API server for 60 s, while a run that is perfectly well trains.

Or every second connection is refused for two minutes, while ten of them do. Not knowing how a run is, is not knowing
that it is lost: the run ends well by itself, is never called failed, and no second one runs beside it.
"""

import time

from tests.drills.support.adapter import stopped
from tests.drills.support.claims import is_unharmed
from tests.drills.support.cluster import component, pods

RUNS = 10


class DeclaredLost(AssertionError):
    """A run that is well was called failed."""


def daemons(platform) -> list[dict[str, str]]:
    """Where the daemons are, and what they call."""
    api = platform.kubectl("get", "service", "kubernetes", "-n", "default", "-o", "jsonpath={.spec.clusterIP}")
    found = pods(component("daemon"))
    assert found
    return [{"node": pod["spec"]["nodeName"], "ip": pod["status"]["podIP"], "api": api} for pod in found]


def test_a_healthy_run_is_not_given_up_while_nobody_can_ask_how_it_is(platform, undisturbed) -> None:
    run, _ = platform.train_until_struck()
    fault = "API server unreachable from the daemon for 60 s"
    try:
        struck = time.time()
        with stopped("API", *daemons(platform)):
            time.sleep(60)
        platform.until("the run is over", lambda: platform.pod(run)["status"]["phase"] in {"Succeeded", "Failed"}, 300)
        ended = [event["at"] for event in platform.happened(run, "RunSuccessEvent")]
        assert not ended or ended[0] > struck + 20, "the run was over before anybody asked how it is"
        if platform.happened(run, "RunFailureEvent"):
            platform.record(fault=fault, **platform.counted(run, *platform.tagged("dagster/root_run_id", run)))
            raise DeclaredLost(f"run {run} was well and was called failed")
        is_unharmed(platform, undisturbed, fault, run)
    finally:
        # The runs beside it, if there are any, would train on under the next drill.
        platform.until("all retries have ended", lambda: all_ended(platform, run), 300)


def test_of_ten_healthy_runs_none_is_given_up_while_every_second_question_is_refused(platform, undisturbed) -> None:
    runs = [platform.train_long() for _ in range(RUNS)]
    for run in runs:
        platform.until("training has begun", lambda run=run: platform.training_since(run, 0), 300)
    with stopped("API_HALF", *daemons(platform)):
        time.sleep(120)
    for run in runs:
        assert platform.webserver.wait_for_run(run, 600) == "SUCCESS"
        platform.assert_complete(run, beside_others=True)
        assert platform.artifacts(run) == undisturbed
    fault = f"API server refuses every second connection for 120 s, {RUNS} runs"
    given_up = sum(len(platform.tagged("dagster/root_run_id", run)) for run in runs)
    platform.record(fault=fault, false_deaths=given_up)


def all_ended(platform, run: str) -> bool:
    runs = [run, *platform.tagged("dagster/root_run_id", run)]
    return all("endTime" in (found := platform.webserver.read_run(each)) and found["endTime"] for each in runs)
