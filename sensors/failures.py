"""The sensor that reports every failed run once: what failed, why, and where to look.

A failed blocking check fails its step and so its run, and is part of that report. Runs are those that the daemon or the
UI launched from this code location, whatever their job.

The log has the report first. Then the run is marked as reported, and only then the webhook is called, if one is set. If
the webhook can't be reached, or refuses, the tick fails with that reason; Dagster moves its cursor past the run all the
same, so the report is neither repeated nor lost from the log. If the daemon or the code server dies after the mark, or
the tick takes too long, Dagster evaluates the run again and finds the mark; at worst the hook misses what the log has.
Failures from before the sensor's very first tick are not reported.
"""

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import dagster as dg

from resources.deployment import Deployment

WEBHOOK = "PLATFORM_WEBHOOK_URL"
REPORTED = "failures/reported"
OWN = ("credit_assets.", "resources.", "sensors.", "dagster")
MAX_LINES, MAX_REASON, MAX_TEXT = 5, 500, 3_000  # lines, characters, characters
UNSAID = "it does not say why"
TIMEOUTS = (2, 3)  # seconds to connect, seconds without an answer

_log = logging.getLogger(__name__)


class WebhookError(Exception):
    """The webhook was not told: says why, without its address, which is a secret."""


@dataclass(frozen=True)
class FailedCheck:
    """A blocking check that failed."""

    asset: str
    check: str
    description: str


@dataclass(frozen=True)
class Report:
    """A failed run: `reasons` by what failed, a step or the run itself."""

    run_id: str
    job: str
    link: str
    retry: str
    reasons: dict[str, str]
    failed_checks: list[FailedCheck]

    @property
    def text(self) -> str:
        """For people."""
        lines = [f"Run {self.run_id} of job {self.job} failed; {self.retry}. {self.link}"]
        lines += [f"{what}: {why}" for what, why in self.reasons.items()]
        lines += [f"check {each.check} of {each.asset}: {each.description}" for each in self.failed_checks]
        return shorten("\n".join(lines), MAX_TEXT)

    @property
    def body(self) -> dict[str, Any]:
        """For machines, and for hooks that look at `text` only."""
        return {
            "text": self.text,
            "run_id": self.run_id,
            "job": self.job,
            "link": self.link,
            "failed_checks": [vars(each) for each in self.failed_checks],
        }


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, the last one an ellipsis if any were cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def reason(error: Any) -> str:
    """The first lines of an error in the event log, out of Dagster's wrappings.

    Our errors quote no row. Another library's may, so of those the class is named only.
    """
    while error.cause and error.message.startswith("dagster"):
        error = error.cause
    if not error.message.startswith(OWN):
        return f"{error.cls_name}. Its message may quote a row and is in the run's log only"
    said = error.message.partition(": ")[2].strip().splitlines()[:MAX_LINES]
    return shorten(": ".join([str(error.cls_name), "\n".join(said)]).removesuffix(": "), MAX_REASON)


def will_retry(tag: str | None, retries_enabled: bool) -> str:
    """What becomes of a failed run, from its tag `dagster/will_retry`, which is there only if retries are enabled."""
    if tag is None:
        return "whether it will be retried is not decided yet" if retries_enabled else "it will not be retried"
    return "it will be retried" if tag == "true" else "it will not be retried"


def describe(
    run: dg.DagsterRun, failure: dg.DagsterEvent, events: Iterable[dg.DagsterEvent], retry: str, ui: str
) -> Report:
    """The report of a run, from the event that ended it and the step failures and check evaluations in its log."""
    reasons, failed_checks = {}, []
    for event in events:
        if event.event_type is dg.DagsterEventType.STEP_FAILURE:
            error = event.step_failure_data.error
            reasons[f"step {event.step_key}"] = reason(error) if error else UNSAID
            continue
        check = event.asset_check_evaluation_data
        if check.blocking and not check.passed:
            said = shorten(check.description or UNSAID, MAX_REASON)
            failed_checks.append(FailedCheck(check.asset_key.to_user_string(), check.check_name, said))
    if not reasons:
        error = getattr(failure.event_specific_data, "error", None)
        reasons["run"] = reason(error) if error else shorten(failure.message or UNSAID, MAX_REASON)
    return Report(run.run_id, run.job_name, f"{ui.rstrip('/')}/runs/{run.run_id}", retry, reasons, failed_checks)


def post(url: str, body: dict[str, Any]) -> None:
    """Tells the webhook, within about 10 s: Dagster reports up to 5 runs in a tick, and grants it 60 s.

    It tries again only where nothing was taken: no connection, too many requests, or a service that is away.

    Raises:
        WebhookError: no connection, no answer, or an answer other than 2xx.
    """
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    # Its warnings of another try print the path of the address.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    retries = Retry(total=2, read=False, backoff_factor=0.5, status_forcelist=(429, 503), allowed_methods=("POST",),
                    respect_retry_after_header=False, raise_on_status=False)  # fmt: skip
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=retries))
        try:
            status = session.post(url, json=body, timeout=TIMEOUTS, allow_redirects=False).status_code
        except requests.RequestException as error:
            raise WebhookError(f"the webhook was not told ({type(error).__name__}): check {WEBHOOK}") from None
    if not 200 <= status < 300:
        raise WebhookError(f"the webhook was not told (it answered {status}, expected 2xx): check {WEBHOOK}")


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Every failed run, once: what failed, why and the link; to the log, and to a webhook if there is one.",
)
def failures(context: dg.RunFailureSensorContext, deployment: dg.ResourceParam[Deployment]) -> None:
    """Reports one failed run, unless it was reported before."""
    run, instance = context.dagster_run, context.instance
    # A retry inherits the tags of the run that it retries, hence the run's id as the value.
    if run.tags.get(REPORTED) == run.run_id:
        context.log.info(f"run {run.run_id} was reported before")
        return
    kinds = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.ASSET_CHECK_EVALUATION}
    records = instance.get_records_for_run(run.run_id, of_type=kinds).records
    events = [event for record in records if (event := record.event_log_entry.dagster_event)]
    retry = will_retry(run.tags.get("dagster/will_retry"), instance.run_retries_enabled)
    report = describe(run, context.failure_event, events, retry, deployment.ui_url)
    context.log.error(report.text)
    _log.error(json.dumps({"event": "run_failed", **report.body}))
    instance.add_run_tags(run.run_id, {REPORTED: run.run_id})
    if deployment.webhook_url:
        post(deployment.webhook_url, report.body)
