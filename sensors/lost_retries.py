"""The sensor that starts every retry that should have been started and was not.

Dagster's daemon reads each failure once. If it dies then, or if the code server or PostgreSQL is away, the retry never
comes (dagster issues 20730, 14605, 33741). This sensor looks at the runs that exist, not at what happened. The rule is
`resources.history.retry_rule`. The webserver starts the retry, as its button in the UI does.
"""

import time
from collections.abc import Sequence

import dagster as dg

from resources.error_texts import has_no_steps_left
from resources.history.retry_rule import LOOK_BACK_SECONDS, find_missing_retry
from resources.history.run_groups import read_attempts, read_failed_groups
from resources.history.tags import NUMBER
from resources.services.webserver import Webserver, WebserverError


def find_missing_retries(instance: dg.DagsterInstance, now: float) -> list[tuple[str, int]]:
    """Every run that should have been retried and was not, with the number of its retry."""
    groups = read_failed_groups(instance, now - LOOK_BACK_SECONDS)
    return [(run, len(group)) for group in groups if (run := find_retry_of_group(instance, group, now))]


def find_retry_of_group(instance: dg.DagsterInstance, group: Sequence[dg.RunRecord], now: float) -> str | None:
    """The run of a group that should have been retried and was not; None: there is none."""
    if any(record.dagster_run.status is not dg.DagsterRunStatus.FAILURE for record in group):
        return None  # by the rule nothing is missing, and most groups need no event read
    attempts = read_attempts(instance, group, only_failing=True)
    return find_missing_retry(attempts, instance.run_retries_max_retries, now)


def retry(webserver: Webserver, run: str, number: int) -> str:
    """Starts a retry from where a run failed, or of all steps if all had ended; returns its id.

    Raises:
        WebserverError: the webserver or the code server is away, or the job no longer exists.
    """
    tags = {NUMBER: str(number)}
    try:
        return webserver.reexecute(run, "FROM_FAILURE", tags)
    except WebserverError as error:
        if not has_no_steps_left(str(error)):
            raise
        # Each step finds what it had committed, and computes nothing.
        return webserver.reexecute(run, "ALL_STEPS", tags)


@dg.sensor(
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Retries every run that should have been retried and was not.",
)
def lost_retries(context: dg.SensorEvaluationContext, webserver: dg.ResourceParam[Webserver]) -> dg.SkipReason:
    """Starts the missing retries. It requests no run of its own, and therefore always skips.

    Raises:
        WebserverError: a retry could not be started. The next tick tries again.
    """
    instance = context.instance
    if not instance.run_retries_enabled:
        return dg.SkipReason("run_retries is off")
    started, refused = [], []
    for run, number in find_missing_retries(instance, time.time()):
        try:
            started.append(f"run {run} is retried as {retry(webserver, run, number)}")
        except WebserverError as error:
            refused.append(f"run {run} can't be retried: {error}")
    if refused:
        raise WebserverError("; ".join(started + refused))
    return dg.SkipReason("; ".join(started) or "no retry is missing")
