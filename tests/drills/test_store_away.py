"""Drill 9. S3 is away for 60 s, and a step that has just computed its artifact wants to commit it.

The run waits with the artifact in its hand: it ends well by itself, the step doesn't start again, nothing is retried,
and the bytes are those of an undisturbed run.
"""

import time

from tests.drills.adapter import stopped
from tests.drills.claims import is_unharmed


def test_a_run_waits_with_its_checkpoint_for_a_store_that_is_away(platform, undisturbed) -> None:
    run, _ = platform.train_until_struck()
    with stopped("STORE"):
        gone = time.time()
        trained = platform.until("the model is trained", lambda: lines(platform, run, "trained in"), 300)
        time.sleep(max(0, gone + 60 - time.time()))
        assert "trained_model" not in platform.objects(run), "it was committed to a store that is away"
    assert gone < trained[0], "the store went away too late to be missed"
    is_unharmed(platform, undisturbed, "S3 away for 60 s at a checkpoint", run)


def lines(platform, run: str, beginning: str) -> list[float]:
    return [at for at, message in platform.said(run) if message.startswith(beginning)]
