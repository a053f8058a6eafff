"""Drill 8. PostgreSQL is away while a model is trained: for 5 s, for 60 s, and while its pod moves to another node.

A run that waits for PostgreSQL is not harmed: it succeeds, nothing starts twice and nothing is retried. Scaling to zero
removes the pod for as long as the drill needs. Connections then break and new ones are refused, like after the loss of
its node. (Freezing is not possible: the first process of a container can't be frozen from inside.) In a third drill
PostgreSQL goes away just when a retry is decided: the retry comes, and comes once.
"""

import time

import pytest

from tests.drills.support.claims import assert_retried, assert_unharmed
from tests.drills.support.cluster import cordon, list_pods, make_selector, stop_component


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


def test_a_retry_that_is_decided_on_while_the_database_goes_away_comes_once(platform, expected_digests) -> None:
    run, began = platform.train_for()
    struck = time.time()
    platform.kubectl("delete", "pod", platform.find_pod(run)["metadata"]["name"], "--force", "--grace-period=0")
    platform.wait_until("the run is failed", lambda: platform.webserver.read_run(run)["status"] == "FAILURE", 60)
    with stop_component("statefulset", "postgresql"):
        time.sleep(20)
    platform.webserver.wait_for_location(120)
    assert_retried(platform, expected_digests, "PostgreSQL away while a retry is decided on", run, began, struck)
