"""Drill 9. S3 is away for 60 s when a training is about to commit a block.

The run keeps the block in memory, commits nothing meanwhile, and continues when S3 is back. It succeeds, no step starts
again, nothing is retried, and the bytes are those of an undisturbed run.
"""

import time

from tests.drills.support.adapter import stop_service
from tests.drills.support.claims import assert_unharmed


def test_a_run_waits_with_its_checkpoint_for_a_store_that_is_away(platform, expected_digests) -> None:
    run, _ = platform.train_for()
    with stop_service("STORE"):
        gone = time.time()
        time.sleep(60)
        assert platform.webserver.read_run(run)["status"] == "STARTED", "the run ended without its store"
        back = time.time()
    assert_unharmed(platform, expected_digests, "S3 away for 60 s at a checkpoint", run)
    committed = platform.read_commit_times(run, time.time())
    # A commit that was under way may be recorded a moment later.
    assert not [at for at in committed if gone + 2 < at < back], "a block was committed to a store that was away"
    assert [at for at in committed if at > back], "the training was over before it needed the store"
