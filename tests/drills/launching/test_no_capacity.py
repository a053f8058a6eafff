"""Drill 11. There is no spot node with room: the pod of a run stays Pending, and then a node comes.

Waiting is not failing: the run starts when the node is there, the same run, and is not retried.
"""

import time

from tests.drills.support.claims import is_unharmed
from tests.drills.support.cluster import SPOT, cordoned


def unschedulable(pod) -> bool:
    conditions = pod["status"].get("conditions", []) if pod else []
    return any(each["type"] == "PodScheduled" and each.get("reason") == "Unschedulable" for each in conditions)


def test_a_run_waits_for_a_node_and_is_not_given_up(platform, undisturbed) -> None:
    with cordoned("-l", SPOT):
        run = platform.train_long()
        platform.until("the pod finds no node", lambda: unschedulable(platform.pod(run)), 60)
        time.sleep(25)  # two looks of the run monitoring and more
        assert platform.pod(run)["status"]["phase"] == "Pending"
        assert platform.webserver.read_run(run)["status"] == "STARTING"
    came = time.time()
    (first,) = platform.until("the run starts", lambda: platform.step_starts(run, "loan_dataset"), 60)
    is_unharmed(platform, undisturbed, "no spot capacity, then a node", run, running_again_after=round(first - came, 1))
