"""Drill 8. PostgreSQL is away while a model is trained: for 5 s, for 60 s, and while its pod moves to another node.

A run that waits for it never notices: it ends well by itself, nothing starts twice and nothing is retried. The pod is
taken away by scaling, so that connections break and new ones are refused, as when its node is lost, and for as long as
is wanted; PostgreSQL in the first process of a container can't be frozen from inside, which would be the other way.
And away in the very moment in which a retry is decided on: it comes, once.
"""

import time

import pytest

from tests.drills.support.claims import goes_on, is_unharmed
from tests.drills.support.cluster import absent, component, cordoned, pods


@pytest.mark.parametrize("seconds", [5, 60])
def test_a_run_waits_for_a_database_that_is_away(platform, undisturbed, seconds) -> None:
    run, _ = platform.train_until_struck()
    with absent("statefulset", "postgresql"):
        time.sleep(seconds)
    is_unharmed(platform, undisturbed, f"PostgreSQL away for {seconds} s", run)


def test_a_run_waits_for_a_database_that_moves_to_another_node(platform, undisturbed) -> None:
    run, _ = platform.train_until_struck()
    (old,) = pods(component("postgresql"))
    with cordoned(old["spec"]["nodeName"]):
        platform.kubectl("delete", "pod", old["metadata"]["name"])
        platform.kubectl("rollout", "status", f"statefulset/{platform.release}-postgresql", "--timeout=120s")
    (new,) = pods(component("postgresql"))
    assert new["spec"]["nodeName"] != old["spec"]["nodeName"]
    is_unharmed(platform, undisturbed, "PostgreSQL moved to another node", run)


def test_a_retry_that_is_decided_on_while_the_database_goes_away_comes_once(platform, undisturbed) -> None:
    run, began = platform.train_until_struck()
    struck = time.time()
    platform.kubectl("delete", "pod", platform.pod(run)["metadata"]["name"], "--force", "--grace-period=0")
    platform.until("it is failed", lambda: platform.webserver.read_run(run)["status"] == "FAILURE", 60)
    with absent("statefulset", "postgresql"):
        time.sleep(20)
    platform.webserver.wait_for_location(120)
    goes_on(platform, undisturbed, "PostgreSQL away while a retry is decided on", run, began, struck)
