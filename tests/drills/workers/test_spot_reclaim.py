"""Drill 2. A spot node is taken away with 30 s notice while a model is trained on it.

The run ends at the notice, before the node does, and is retried once on another node. The retry repeats nothing that
was committed, and the artifacts have the same bytes as those of an undisturbed run.
"""

import time

from tests.drills.support.claims import assert_retried


def test_a_reclaimed_run_goes_on_elsewhere_without_repeating_what_was_committed(
    platform, expected_digests, drill_round
) -> None:
    run, began = platform.train_for()
    node = platform.find_pod(run)["spec"]["nodeName"]
    noticed = time.time()
    drain = platform.nodes.reclaim(node)
    try:
        fault = "reclaim, 30 s notice"
        retry = assert_retried(platform, expected_digests, fault, run, began, noticed, notice=120, warned=True)
        assert platform.find_pod(retry)["spec"]["nodeName"] != node
    finally:
        drain.wait(120)
        platform.nodes.start(node)
