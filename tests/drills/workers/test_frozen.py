"""Drill 16. A worker is frozen for 90 s and wakes up: its process alone, or its whole node with it.

It is silent, so it is given up and retried elsewhere. What wakes up finds its lease gone: it publishes nothing, and its
run stays failed.
"""

import signal
import time

from tests.drills.support.claims import goes_on, stays_failed

FROZEN = 90


def test_a_worker_that_was_frozen_is_ended_before_it_wakes_up(platform, undisturbed) -> None:
    run, began = platform.train_until_struck()
    struck = time.time()
    platform.signal_worker(run, signal.SIGSTOP)
    retry = goes_on(platform, undisturbed, "worker frozen", run, began, struck)
    time.sleep(max(0.0, struck + FROZEN - time.time()))
    assert platform.pod(run) is None, "the pod of a worker that was given up is still there"
    stays_failed(platform, undisturbed, run, retry)


def test_a_node_that_was_frozen_wakes_up_to_workers_that_may_not_write(platform, undisturbed) -> None:
    run, began = platform.train_until_struck()
    node, struck = platform.pod(run)["spec"]["nodeName"], time.time()
    with platform.nodes.struck(node, "NODE_FREEZE", "NODE_THAW"):
        retry = goes_on(platform, undisturbed, "worker node frozen", run, began, struck)
        time.sleep(max(0.0, struck + FROZEN - time.time()))
    stays_failed(platform, undisturbed, run, retry)
