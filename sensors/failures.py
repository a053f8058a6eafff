"""The sensor that reports each failed run once: what failed, why, and where to look.

A step that failed for several causes gets a report for each. One whose failure is tolerated gets none.

It covers every run that the daemon or the UI launched from this code location. A failed blocking check fails its step
and its run, so the report names the check.

A tick first logs the report, then marks the run as reported, and then calls the webhook if one is set. If the webhook
refuses or can't be reached, the tick fails with the reason. Dagster still moves its cursor past the run, so the report
is in the log and is not repeated. If the tick dies after the mark, Dagster evaluates the run again and finds the mark.
So at worst the log has a report that the webhook has not received. Failures before the sensor's first tick are not
reported.

Belongs here: which runs are reported, and where a report goes. Does not belong here: what it says (`failure_report`).
"""

import json
import logging
import time
from typing import Any

import dagster as dg

from resources.deployment import Deployment
from resources.errors import PlatformError
from resources.history.attempt import find_decision
from resources.history.run_groups import EVENT, read_events, read_groups
from resources.history.tags import REPORTED
from resources.services.http import hide_paths, open_session
from sensors.failure_report import describe_retry, is_tolerated, make_report, read_named_causes, split_by_cause
from sensors.lost_retries import find_retry_of_group

WEBHOOK = "PLATFORM_WEBHOOK_URL"
TIMEOUTS = (2, 3)  # seconds to connect, seconds without an answer

log = logging.getLogger(__name__)


class WebhookError(PlatformError):
    """The webhook did not take a report. The message says why. It leaves out the address, which is a secret."""


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


def is_retried_anyway(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether a failed run has a retry, or gets one from the sensor `lost_retries`."""
    (group,) = read_groups(instance, [run.root_run_id or run.run_id])
    has_retry = any(record.dagster_run.parent_run_id == run.run_id for record in group)
    return has_retry or find_retry_of_group(instance, group, time.time()) == run.run_id


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
    decision, enabled = find_decision(run.tags), instance.run_retries_enabled
    is_missed = enabled and decision is not True and is_retried_anyway(instance, run)
    retry = describe_retry(decision, enabled, is_missed=is_missed)
    report = make_report(run, context.failure_event, events, retry, deployment.ui_url)
    if is_tolerated(events):
        context.log.info(f"{report.text}\nSo many failures are tolerated, and nobody is alarmed")
        return
    reports = split_by_cause(report, read_named_causes(events))
    for each in reports:
        context.log.error(each.text)
        log.error(json.dumps({"event": "run_failed", **each.body}))
    instance.add_run_tags(run.run_id, {REPORTED: run.run_id})
    if deployment.webhook_url:
        for each in reports:
            post(deployment.webhook_url, each.body)
