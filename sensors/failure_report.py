"""What is reported of a failed run: a report for people and programs, and how many of them there are.

Belongs here: what a report says. Does not belong here: where it goes (`failures`), and whether a run is retried
(`resources.history.retry_rule`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import dagster as dg

from resources.error_texts import is_from_dagster, is_from_us, remove_class_name
from resources.history.facts import CAUSES, TOLERATED
from resources.history.run_groups import EVENT

MAX_LINES, MAX_REASON, MAX_TEXT = 5, 500, 3_000  # lines, characters, characters
MAX_CAUSES = 5  # alerts of one run
NO_REASON = "no reason was given"


@dataclass(frozen=True)
class FailedCheck:
    """A blocking check that failed."""

    asset: str
    check: str
    description: str


@dataclass(frozen=True)
class Report:
    """A failed run.

    Attributes:
        retry: a sentence that says whether it is retried.
        reasons: why it failed, by `step <key>`, or by `run` if no step failed.
    """

    run_id: str
    job: str
    link: str
    retry: str
    reasons: dict[str, str]
    failed_checks: list[FailedCheck]

    @property
    def text(self) -> str:
        """The report for people."""
        lines = [f"Run {self.run_id} of job {self.job} failed; {self.retry}. {self.link}"]
        lines += [f"{step}: {reason}" for step, reason in self.reasons.items()]
        lines += [f"check {each.check} of {each.asset}: {each.description}" for each in self.failed_checks]
        return shorten("\n".join(lines), MAX_TEXT)

    @property
    def body(self) -> dict[str, Any]:
        """The report for programs, and for webhooks that show `text` only."""
        return {
            "text": self.text,
            "run_id": self.run_id,
            "job": self.job,
            "link": self.link,
            "failed_checks": [vars(each) for each in self.failed_checks],
        }


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters; the last one is an ellipsis if any were cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def describe_error(error: Any) -> str:
    """The first lines of an error in the event log, without the errors of Dagster around it.

    Our errors quote no row. An error of another library may quote one, so only its class is named.
    """
    while error.cause and is_from_dagster(error.message):
        error = error.cause
    if not (is_from_us(error.message) or is_from_dagster(error.message)):
        return f"{error.cls_name}. Its message may quote a row and is in the run's log only"
    lines = remove_class_name(error.message).splitlines()[:MAX_LINES]
    return shorten(": ".join([str(error.cls_name), "\n".join(lines)]).removesuffix(": "), MAX_REASON)


def describe_retry(will_retry: bool | None, retries_enabled: bool, *, is_missed: bool = False) -> str:
    """Whether a failed run is retried.

    Args:
        will_retry: the decision of Dagster's daemon; None if it has not decided.
        retries_enabled: whether any run is retried.
        is_missed: whether it has a retry, or gets one from the sensor `lost_retries`, without the daemon's decision.
    """
    if is_missed:
        return "it will be retried"
    if will_retry is None and retries_enabled:
        return "whether it will be retried is not decided yet"
    return "it will be retried" if will_retry else "it will not be retried"


def make_report(
    run: dg.DagsterRun, failure: dg.DagsterEvent, events: Iterable[dg.DagsterEvent], retry: str, ui: str
) -> Report:
    """The report of a run.

    Args:
        run: the failed run.
        failure: the event that ended it.
        events: its step failures and check evaluations.
        retry: a sentence that says whether it is retried.
        ui: address of the UI.
    """
    reasons, failed_checks = {}, []
    for event in events:
        if event.event_type is EVENT.STEP_FAILURE:
            error = event.step_failure_data.error
            reasons[f"step {event.step_key}"] = describe_error(error) if error else NO_REASON
            continue
        check = event.asset_check_evaluation_data
        if check.blocking and not check.passed:
            description = shorten(check.description or NO_REASON, MAX_REASON)
            failed_checks.append(FailedCheck(check.asset_key.to_user_string(), check.check_name, description))
    if not reasons:
        error = getattr(failure.event_specific_data, "error", None)
        reasons["run"] = describe_error(error) if error else shorten(failure.message or NO_REASON, MAX_REASON)
    return Report(run.run_id, run.job_name, f"{ui.rstrip('/')}/runs/{run.run_id}", retry, reasons, failed_checks)


def read_named_causes(events: Iterable[dg.DagsterEvent]) -> list[str]:
    """The causes that failed steps name, a sentence for each; none if no step names any."""
    failed = [event.step_failure_data for event in events if event.event_type is EVENT.STEP_FAILURE]
    metadata = [each.user_failure_data.metadata for each in failed if each.user_failure_data]
    named = [each[CAUSES].value for each in metadata if CAUSES in each]
    return [str(cause) for causes in named if isinstance(causes, list) for cause in causes]


def split_by_cause(report: Report, causes: Sequence[str]) -> list[Report]:
    """A report for each cause, because each concerns other people; the report itself if no cause is named."""
    shown = list(causes[:MAX_CAUSES])
    if len(causes) > MAX_CAUSES:
        shown[-1] += f". {len(causes) - MAX_CAUSES} more causes are on the page of the run"
    return [replace(report, reasons={"cause": shorten(cause, MAX_REASON)}) for cause in shown] or [report]


def is_tolerated(events: Iterable[dg.DagsterEvent]) -> bool:
    """Whether every step that failed says of its own failure that it is tolerated, so that nobody is to be alarmed."""
    failed = [event.step_failure_data for event in events if event.event_type is EVENT.STEP_FAILURE]
    said = [each.user_failure_data.metadata if each.user_failure_data else {} for each in failed]
    return bool(said) and all(TOLERATED in each and each[TOLERATED].value is True for each in said)
