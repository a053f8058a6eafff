"""The sensor that reports each failed run once: what failed, why, and where to look.

It covers every run that the daemon or the UI launched from this code location. A failed blocking check fails its step
and its run, so the report names the check.

A tick first logs the report, then marks the run as reported, and then calls the webhook if one is set. If the webhook
refuses or can't be reached, the tick fails with the reason. Dagster still moves its cursor past the run, so the report
is in the log and is not repeated. If the tick dies after the mark, Dagster evaluates the run again and finds the mark.
So at worst the log has a report that the webhook has not received. Failures before the sensor's first tick are not
reported.

Belongs here: what a report says, and where it goes. Does not belong here: whether a run is retried
(`resources.history.retry_rule`).
"""

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import dagster as dg

from resources.deployment import Deployment
from resources.error_texts import is_from_dagster, is_from_us, remove_class_name
from resources.errors import PlatformError
from resources.history.attempt import find_decision
from resources.history.run_groups import EVENT, read_events
from resources.history.tags import REPORTED
from resources.services.http import hide_paths, open_session

WEBHOOK = "PLATFORM_WEBHOOK_URL"
MAX_LINES, MAX_REASON, MAX_TEXT = 5, 500, 3_000  # lines, characters, characters
NO_REASON = "no reason was given"
TIMEOUTS = (2, 3)  # seconds to connect, seconds without an answer

log = logging.getLogger(__name__)


class WebhookError(PlatformError):
    """The webhook did not take a report. The message says why. It leaves out the address, which is a secret."""


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


def describe_retry(will_retry: bool | None, retries_enabled: bool) -> str:
    """Whether a failed run is retried. `will_retry` is the decision of Dagster's daemon; None if it has not decided."""
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


def post(url: str, body: dict[str, Any]) -> None:
    """Sends a report to the webhook within about 10 s, because a tick reports up to 5 runs and may take 60 s.

    It is sent again only if the webhook did not take it: no connection, too many requests, or an unavailable service.

    Raises:
        WebhookError: there is no connection or no answer, or the answer is not 2xx.
    """
    import requests

    with hide_paths(), open_session(repeats=2, repeat_statuses=(429, 503)) as session:
        try:
            status = session.post(url, json=body, timeout=TIMEOUTS, allow_redirects=False).status_code
        except requests.RequestException as error:
            raise WebhookError(
                f"the webhook did not take the report ({type(error).__name__}): check {WEBHOOK}"
            ) from None
    if not 200 <= status < 300:
        raise WebhookError(f"the webhook did not take the report (it answered {status}, expected 2xx): check {WEBHOOK}")


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Each failed run, once: what failed, why and the link; to the log, and to a webhook if there is one.",
)
def failures(context: dg.RunFailureSensorContext, deployment: dg.ResourceParam[Deployment]) -> None:
    """Reports one failed run, unless it was reported before."""
    run, instance = context.dagster_run, context.instance
    # A retry inherits the tags of the run that it retries. Therefore the value is the id of the reported run.
    if run.tags.get(REPORTED) == run.run_id:
        context.log.info(f"run {run.run_id} was reported before")
        return
    entries = read_events(instance, run.run_id, {EVENT.STEP_FAILURE, EVENT.ASSET_CHECK_EVALUATION})
    events = [entry.dagster_event for entry in entries if entry.dagster_event]
    retry = describe_retry(find_decision(run.tags), instance.run_retries_enabled)
    report = make_report(run, context.failure_event, events, retry, deployment.ui_url)
    context.log.error(report.text)
    log.error(json.dumps({"event": "run_failed", **report.body}))
    instance.add_run_tags(run.run_id, {REPORTED: run.run_id})
    if deployment.webhook_url:
        post(deployment.webhook_url, report.body)
