"""Assertions of every drill about a run that met a fault while it trained: it was retried, or it was not harmed.

Does not belong here: assertions that only one drill makes.
"""

import time

from resources.store.blocks.series import FOUND
from tests.drills.support.platform import NotInTime, Platform


class NeverRetried(AssertionError):
    """The run was lost and has failed, and there is no retry."""


def assert_retried(
    platform: Platform,
    expected_digests: dict[str, str],
    fault: str,
    run: str,
    began: float,
    struck: float,
    *,
    notice: float = 300,
    warned: bool = False,
    beside_others: bool = False,
    may_not_begin: int = 0,
    **more: float,
) -> str:
    """Asserts that a lost run is noticed and retried once, and that the retry repeats nothing and makes the same bytes.

    Args:
        platform: the release.
        expected_digests: of the artifacts of an undisturbed run.
        fault: its name in the report.
        run: the lost run.
        began: when its training began, in Unix seconds.
        struck: when the fault happened, in Unix seconds.
        notice: within how many seconds the loss must be noticed.
        warned: whether the worker was told, and could commit what it had. Its work counts until the run failed.
        beside_others: whether runs with newer loans are under way; the retry need not be promoted then.
        may_not_begin: how many retries may fail before they begin, because their nodes were lost too.
        more: other figures of the report.

    Returns:
        The retry that ended well.

    Raises:
        NeverRetried: no retry appears within 90 s.
    """
    assert platform.webserver.wait_for_run(run, notice) == "FAILURE"
    worked_until = platform.read_events(run, "RunFailureEvent")[0]["at"] if warned else struck
    try:
        retry = platform.wait_until("the run is retried", lambda: platform.find_retry(run), 90)
    except NotInTime as error:
        platform.record_lost(fault, run, began, struck, worked_until)
        raise NeverRetried(str(error)) from None
    runs = [run, retry, *follow_unbegun(platform, retry, may_not_begin)]
    retry = runs[-1]
    platform.wait_until("training runs again", lambda: platform.read_step_starts(retry, "training"), 120)
    assert platform.webserver.wait_for_run(retry, 600) == "SUCCESS"
    assert not platform.read_step_starts(retry, "loan_dataset"), "what was committed was computed again"
    found = [message for _, message in platform.read_log_lines(retry) if FOUND in message]
    assert len(found) >= len(platform.read_commit_times(run, worked_until)) > 0, (
        "trees that were committed were grown again"
    )
    assert platform.read_digests(*runs) == expected_digests
    platform.assert_complete(*runs, beside_others=beside_others, unbegun=runs[1:-1])
    platform.record_loss(fault, run, retry, began, struck, worked_until, **more)
    return retry


def follow_unbegun(platform: Platform, run: str, most: int) -> list[str]:
    """Waits until a run or one of its retries begins, and returns these retries. So many of all may fail before."""
    retries: list[str] = []
    while len(retries) < most:
        last = [run, *retries][-1]
        platform.wait_until("it begins or fails", lambda last=last: has_begun_or_ended(platform, last), 120)
        if platform.read_events(last, "RunStartEvent"):
            break
        retries.append(platform.wait_until("it is retried", lambda last=last: platform.find_retry(last), 90))
    return retries


def has_begun_or_ended(platform: Platform, run: str) -> bool:
    """Whether a run has started its process, or will never do so."""
    return bool(platform.read_events(run, "RunStartEvent") or platform.read_events(run, "RunFailureEvent"))


def assert_unharmed(
    platform: Platform,
    expected_digests: dict[str, str],
    fault: str,
    run: str,
    *,
    beside_others: bool = False,
    **more: float,
) -> None:
    """Asserts that a run succeeds without a retry, that no step starts again, and that the bytes are the same.

    The arguments are those of `assert_retried`.
    """
    assert platform.webserver.wait_for_run(run, 600) == "SUCCESS"
    assert platform.find_retry(run) is None, "a run that ended well was retried"
    platform.assert_complete(run, beside_others=beside_others)
    for step in ("loan_dataset", "training", "model_metrics"):
        assert len(platform.read_step_starts(run, step)) == 1, f"{step} started again"
    assert platform.read_digests(run) == expected_digests
    platform.record(fault=fault, work_lost=0.0, **platform.count_repetitions(run), **more)


def assert_none_given_up(platform: Platform, expected_digests: dict[str, str], fault: str, runs: list[str]) -> None:
    """Asserts that each of many runs beside each other ends well without a retry, with the same bytes.

    The arguments are those of `assert_retried`.
    """
    for run in runs:
        assert platform.webserver.wait_for_run(run, 600) == "SUCCESS"
        platform.assert_complete(run, beside_others=True)
        assert platform.read_digests(run) == expected_digests
    given_up = sum(len(platform.find_runs("dagster/root_run_id", run)) for run in runs)
    platform.record(fault=f"{fault}, {len(runs)} runs", false_deaths=given_up)


def assert_stays_failed(platform: Platform, expected_digests: dict[str, str], run: str, retry: str) -> None:
    """Asserts that a lost worker that came back has published nothing, started nothing, and changed no status."""
    time.sleep(15)
    assert platform.webserver.read_run(run)["status"] == "FAILURE"
    (failed,) = platform.read_events(run, "RunFailureEvent")
    kinds = ("MaterializationEvent", "ObservationEvent", "ExecutionStepStartEvent")
    late = [each for kind in kinds for each in platform.read_events(run, kind) if each["at"] > failed["at"]]
    late += [message for at, message in platform.read_log_lines(run) if at > failed["at"]]
    assert not late, f"it wrote on: {late}"
    assert platform.read_digests(run, retry) == expected_digests
    platform.assert_complete(run, retry)
