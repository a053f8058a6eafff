"""Drill 9. S3 is away for 60 s, and a training wants to commit what it has computed so far.

The run waits with the checkpoint in its hand, commits nothing meanwhile, and goes on where it was: it ends well by
itself, no step starts again, nothing is retried, and the bytes are those of an undisturbed run.
"""

import time

from tests.drills.support.adapter import stopped
from tests.drills.support.claims import is_unharmed


def test_a_run_waits_with_its_checkpoint_for_a_store_that_is_away(platform, undisturbed) -> None:
    run, _ = platform.train_until_struck()
    with stopped("STORE"):
        gone = time.time()
        time.sleep(60)
        assert platform.webserver.read_run(run)["status"] == "STARTED", "the run ended without its store"
        back = time.time()
    is_unharmed(platform, undisturbed, "S3 away for 60 s at a checkpoint", run)
    committed = platform.blocks_committed(run, time.time())
    # A commit that was under way may be told a moment later.
    assert not [at for at in committed if gone + 2 < at < back], "it was committed to a store that is away"
    assert [at for at in committed if at > back], "the training was over before the store was missed"
