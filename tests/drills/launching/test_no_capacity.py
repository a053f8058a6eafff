"""Drill 11. No spot node has room, so the pod of a run stays Pending until a node comes.

The run must not fail while it waits. It starts when the node is there, and it is not retried.
"""

import time

from tests.drills.support.claims import assert_unharmed
from tests.drills.support.cluster import SPOT, cordon


def is_unschedulable(pod) -> bool:
    """Whether no node has room for a pod."""
    conditions = pod["status"].get("conditions", []) if pod else []
    return any(each["type"] == "PodScheduled" and each.get("reason") == "Unschedulable" for each in conditions)


def test_a_run_waits_for_a_node_and_is_not_given_up(platform, expected_digests) -> None:
    with cordon("-l", SPOT):
        run = platform.train_long()
        platform.wait_until("the pod finds no node", lambda: is_unschedulable(platform.find_pod(run)), 60)
        time.sleep(25)  # the run monitoring checks it at least twice
        assert platform.find_pod(run)["status"]["phase"] == "Pending"
        assert platform.webserver.read_run(run)["status"] == "STARTING"
    node_free = time.time()
    (first,) = platform.wait_until("the run starts", lambda: platform.read_step_starts(run, "loan_dataset"), 60)
    assert_unharmed(
        platform,
        expected_digests,
        "no spot capacity, then a node",
        run,
        running_again_after=round(first - node_free, 1),
    )
