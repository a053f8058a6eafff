"""Drill 16. A worker is frozen for 90 s and then wakes up: its process alone, or its whole node.

A frozen worker renews no lease, so its run is failed and retried elsewhere. A worker that wakes up has no lease: it
publishes nothing, and its run stays failed.
"""

import signal
import time

from tests.drills.support.claims import assert_retried, assert_stays_failed

FROZEN = 90


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
