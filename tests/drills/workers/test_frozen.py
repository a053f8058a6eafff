"""Drill 16. A worker is frozen for 90 s and then wakes up: its process alone, or its whole node.

A frozen worker renews no lease, so its run is failed and retried elsewhere. A worker that wakes up has no lease: it
publishes nothing, and its run stays failed. In a third drill the node is not frozen: other programs use all of its
cores. Its worker is slow, and is not given up.
"""

import signal
import time

from tests.drills.support.claims import assert_retried, assert_stays_failed, assert_unharmed
from tests.drills.support.cluster import keep_busy
from tests.drills.support.platform import give_resources

FROZEN, BUSY = 90, 60
# The share of the cores' time that a busy node may leave unused.
IDLE = 0.05
# Half a core, of which the worker has a tenth while others are busy: its training outlasts them.
SMALL = {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"cpu": "500m", "memory": "2Gi"}}


def read_core_seconds(platform, pod: str) -> tuple[float, float]:
    """How long the cores of a pod's node have had nothing to do, and how long they have been there (proc(5))."""
    total, *_ = platform.kubectl("exec", pod, "--", "cat", "/proc/stat").splitlines()
    user, nice, system, idle, waiting, *others = map(float, total.split()[1:9])
    return idle + waiting, user + nice + system + idle + waiting + sum(others)


def test_a_worker_that_was_frozen_is_ended_before_it_wakes_up(platform, expected_digests) -> None:
    run, began = platform.train_for()
    struck = time.time()
    platform.signal_worker(run, signal.SIGSTOP)
    retry = assert_retried(platform, expected_digests, "worker frozen", run, began, struck)
    time.sleep(max(0.0, struck + FROZEN - time.time()))
    assert platform.find_pod(run) is None, "the pod of a worker that was given up is still there"
    assert_stays_failed(platform, expected_digests, run, retry)


def test_a_node_that_was_frozen_wakes_up_to_workers_that_may_not_write(platform, expected_digests) -> None:
    run, began = platform.train_for()
    node, struck = platform.find_pod(run)["spec"]["nodeName"], time.time()
    with platform.nodes.strike(node, "NODE_FREEZE", "NODE_THAW"):
        retry = assert_retried(platform, expected_digests, "worker node frozen", run, began, struck)
        time.sleep(max(0.0, struck + FROZEN - time.time()))
    assert_stays_failed(platform, expected_digests, run, retry)


def test_a_worker_on_a_node_whose_cores_are_all_busy_is_not_given_up(platform, expected_digests) -> None:
    run, _ = platform.train_for(tags=give_resources(SMALL))
    pod = platform.find_pod(run)
    (container,) = pod["spec"]["containers"]
    with keep_busy(pod["spec"]["nodeName"], container["image"]):
        before = read_core_seconds(platform, pod["metadata"]["name"])
        time.sleep(BUSY)
        after = read_core_seconds(platform, pod["metadata"]["name"])
        idle, total = after[0] - before[0], after[1] - before[1]
        assert idle < IDLE * total, f"the cores had nothing to do for {idle / total:.0%} of the time"
        assert platform.webserver.read_run(run)["status"] == "STARTED", "the run was over while the node was still busy"
    assert_unharmed(platform, expected_digests, f"the worker's node has busy cores for {BUSY} s", run)
