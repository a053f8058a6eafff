"""Drill 2. A spot node is taken back with 30 s notice while a model is trained on it.

The run ends at the notice and not with the node, and is retried once, on another node. What was committed is not
computed again, and the artifacts are those of an undisturbed run, to the byte.
"""

import time

from tests.drills.support.claims import goes_on


def test_a_reclaimed_run_goes_on_elsewhere_without_repeating_what_was_committed(
    platform, undisturbed, drill_round
) -> None:
    run, began = platform.train_until_struck()
    node = platform.pod(run)["spec"]["nodeName"]
    noticed = time.time()
    drain = platform.nodes.reclaim(node)
    try:
        retry = goes_on(platform, undisturbed, "reclaim, 30 s notice", run, began, noticed, notice=120)
        assert platform.pod(retry)["spec"]["nodeName"] != node
    finally:
        drain.wait(120)
        platform.nodes.start(node)
