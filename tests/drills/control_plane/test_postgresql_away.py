"""Drill 8. PostgreSQL is away while a model is trained: for 5 s, for 60 s, and while its pod moves to another node.

A run that waits for PostgreSQL is not harmed: it succeeds, nothing starts twice and nothing is retried. Scaling to zero
removes the pod for as long as the drill needs. Connections then break and new ones are refused, like after the loss of
its node. In another drill PostgreSQL stands still for 30 s beside ten runs: connections stay open, and nobody answers.
In the last one it goes away just when a retry is decided: the retry comes, and comes once.
"""

import time

import pytest

from tests.drills.support.adapter import stop_service
from tests.drills.support.claims import assert_none_given_up, assert_retried, assert_unharmed
from tests.drills.support.cluster import cordon, list_pods, make_selector, stop_component
from tests.drills.support.platform import SHORT

RUNS, FROZEN = 10, 30


@pytest.mark.parametrize("seconds", [5, 60])
def test_a_run_waits_for_a_database_that_is_away(platform, expected_digests, seconds) -> None:
    run, _ = platform.train_for()
    with stop_component("statefulset", "postgresql"):
        time.sleep(seconds)
    assert_unharmed(platform, expected_digests, f"PostgreSQL away for {seconds} s", run)


def test_a_run_waits_for_a_database_that_moves_to_another_node(platform, expected_digests) -> None:
    run, _ = platform.train_for()
    (old,) = list_pods(make_selector("postgresql"))
    with cordon(old["spec"]["nodeName"]):
        platform.kubectl("delete", "pod", old["metadata"]["name"])
        platform.kubectl("rollout", "status", f"statefulset/{platform.release}-postgresql", "--timeout=120s")
    (new,) = list_pods(make_selector("postgresql"))
    assert new["spec"]["nodeName"] != old["spec"]["nodeName"]
    assert_unharmed(platform, expected_digests, "PostgreSQL moved to another node", run)


def test_of_ten_healthy_runs_none_is_given_up_while_the_database_stands_still(platform, undisturbed) -> None:
    # Beside each other, all of them still train when the last one begins, and for some time after it.
    runs = platform.train_many(RUNS, SHORT)
    (pod,) = list_pods(make_selector("postgresql"))
    (container,) = pod["status"]["containerStatuses"]
    place = {"node": pod["spec"]["nodeName"], "container": container["containerID"].partition("://")[2]}
    with stop_service("CONTAINER", place):
        stopped = time.time()
        time.sleep(FROZEN)
        back = time.time()
    assert_none_given_up(platform, undisturbed(SHORT), f"PostgreSQL stands still for {FROZEN} s", runs)
    committed = [at for run in runs for at in platform.read_commit_times(run, time.time())]
    # A commit is announced to PostgreSQL first. One that was announced may be recorded a moment later.
    assert not [at for at in committed if stopped + 3 < at < back], "PostgreSQL answered meanwhile"
    assert [at for at in committed if at > back], "the runs were over before the database was back"


def test_a_retry_that_is_decided_on_while_the_database_goes_away_comes_once(platform, expected_digests) -> None:
    run, began = platform.train_for()
    struck = time.time()
    platform.kubectl("delete", "pod", platform.find_pod(run)["metadata"]["name"], "--force", "--grace-period=0")
    platform.wait_until("the run is failed", lambda: platform.webserver.read_run(run)["status"] == "FAILURE", 60)
    with stop_component("statefulset", "postgresql"):
        time.sleep(20)
    platform.webserver.wait_for_location(120)
    assert_retried(platform, expected_digests, "PostgreSQL away while a retry is decided on", run, began, struck)
