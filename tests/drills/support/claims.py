"""What every drill claims of a run that was struck while it trained: it goes on elsewhere, or it never noticed."""

import time

from resources.store.blocks import FOUND
from tests.drills.support.platform import NotInTime, Platform


class NeverRetried(AssertionError):
    """The run is lost and red, and nobody retries it."""


def goes_on(
    platform: Platform,
    undisturbed: dict[str, str],
    fault: str,
    run: str,
    began: float,
    struck: float,
    *,
    notice: float = 300,
    beside_others: bool = False,
    **more: float,
) -> str:
    """A lost run is noticed and retried once; the retry repeats nothing and makes the same bytes.

    `beside_others`: a run with newer loans may be promoted before it, so that it is not.

    Returns:
        The run that retries it.

    Raises:
        NeverRetried: no retry appears within a minute and a half.
    """
    assert platform.webserver.wait_for_run(run, notice) == "FAILURE"
    try:
        retry = platform.until("the run is retried", lambda: platform.retry_of(run), 90)
    except NotInTime as error:
        platform.record_lost(fault, run, began, struck)
        raise NeverRetried(str(error)) from None
    platform.until("training runs again", lambda: platform.step_starts(retry, "training"), 120)
    assert platform.webserver.wait_for_run(retry, 600) == "SUCCESS"
    assert not platform.step_starts(retry, "loan_dataset"), "what was committed was computed again"
    found = [message for _, message in platform.said(retry) if FOUND in message]
    assert len(found) >= len(platform.blocks_committed(run, struck)) > 0, "trees that were committed were grown again"
    assert platform.artifacts(run, retry) == undisturbed
    platform.assert_complete(run, retry, beside_others=beside_others)
    platform.record_loss(fault, run, retry, began, struck, **more)
    return retry


def is_unharmed(
    platform: Platform,
    undisturbed: dict[str, str],
    fault: str,
    run: str,
    *,
    beside_others: bool = False,
    **more: float,
) -> None:
    """A run ends well by itself: nothing is retried, no step starts again, and the bytes are the same."""
    assert platform.webserver.wait_for_run(run, 600) == "SUCCESS"
    assert platform.retry_of(run) is None, "a run that ended well was retried"
    platform.assert_complete(run, beside_others=beside_others)
    for step in ("loan_dataset", "training", "model_metrics"):
        assert len(platform.step_starts(run, step)) == 1, f"{step} started again"
    assert platform.artifacts(run) == undisturbed
    platform.record(fault=fault, work_lost=0.0, **platform.counted(run), **more)


def stays_failed(platform: Platform, undisturbed: dict[str, str], run: str, retry: str) -> None:
    """What was given up and came back has published nothing, started nothing, and turned nothing green."""
    time.sleep(15)
    assert platform.webserver.read_run(run)["status"] == "FAILURE"
    (failed,) = platform.happened(run, "RunFailureEvent")
    late = [each for each in platform.happened(run, "MaterializationEvent") if each["at"] > failed["at"]]
    late += [each for each in platform.happened(run, "ExecutionStepStartEvent") if each["at"] > failed["at"]]
    late += [message for at, message in platform.said(run) if at > failed["at"]]
    assert not late, f"it wrote on: {late}"
    assert platform.artifacts(run, retry) == undisturbed
    platform.assert_complete(run, retry)
