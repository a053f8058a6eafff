"""The sensor that finds every run that should have been retried and was not, and has it retried once.

Dagster's daemon reads of a failure once. If it dies then, or the code server or PostgreSQL is away, or all steps had
ended and only the run had not, the retry that it promised never comes (dagster issues 20730, 14605, 33741). This one
looks at what is, not at what happened: a failed run whose steps did nothing wrong, that nothing goes on from, in a
group with retries left. (The loss of a step's own pod is not its fault either, and stock counts it as such.) It asks
the webserver for the retry, as the button in the UI does.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from resources.history import attempts
from resources.history.step_failures import is_a_steps_own
from resources.history.tags import MOST, NUMBER, REASON, WILL_RETRY
from resources.services.webserver import Webserver, WebserverError

# Seconds in which the daemon has retried a run, if it does; and in which a run is looked for.
PATIENCE, MEMORY = 30, 24 * 3600
# Attempts that never began, and cost nothing, before an image or a quota that is not there is left to people.
NEVER_BEGAN = 20
ALL_STEPS_ENDED = "No steps needed to be retried"


@dataclass(frozen=True)
class Ended:
    """A run that has failed, or has not: what matters of it here.

    One that `stays` as it is failed by its own step, or asked for no retry. One that never `began` costs nothing.
    `most` is the budget that a run has of its own. `refused`: the daemon said that it does not retry it.
    """

    run_id: str
    parent: str | None
    failed_at: float | None
    stays: bool
    began: bool = True
    most: int | None = None
    refused: bool = False


def forgotten(group: Sequence[Ended], retries: int, now: float) -> str | None:
    """The run that should have been retried and was not, if there is one.

    Args:
        group: a run that was asked for, with all that went on from it.
        retries: how many that began the group may have.
        now: Unix seconds.
    """
    if any(run.failed_at is None for run in group):
        return None  # one is under way, has ended well, or was ended by somebody
    parents = {run.parent for run in group}
    spent, asked = sum(each.began for each in group), len(group)
    for run in group:
        within = spent <= retries and asked <= retries + NEVER_BEGAN if run.most is None else asked <= run.most
        left = run.run_id not in parents and within and not run.stays
        if left and run.failed_at is not None and run.failed_at < now - (0 if run.refused else PATIENCE):
            return run.run_id
    return None


def ended(instance: dg.DagsterInstance, record: dg.RunRecord) -> Ended:
    """What Dagster knows of a run, as far as it matters here."""
    run = record.dagster_run
    if run.status is not dg.DagsterRunStatus.FAILURE:
        return Ended(run.run_id, run.parent_run_id, None, stays=False)
    by_a_step = run.tags.get(REASON) == "STEP_FAILURE" and is_a_steps_own(failures_of(instance, run.run_id))
    most = int(run.tags[MOST]) if run.tags.get(MOST, "").isdecimal() else None
    began, stays, refused = record.start_time is not None, by_a_step or most == 0, run.tags.get(WILL_RETRY) == "false"
    return Ended(run.run_id, run.parent_run_id, record.end_time or 0, stays, began, most, refused)


def failures_of(instance: dg.DagsterInstance, run: str) -> list[dg.EventLogEntry]:
    """The events of its steps that failed."""
    records = instance.get_records_for_run(run, of_type=dg.DagsterEventType.STEP_FAILURE).records
    return [record.event_log_entry for record in records]


def groups(instance: dg.DagsterInstance, now: float) -> Iterator[list[Ended]]:
    """Every group of runs in which one has failed within a day."""
    recent = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.FAILURE], updated_after=datetime.fromtimestamp(now - MEMORY, UTC)
    )
    failed = [record.dagster_run for record in instance.get_run_records(recent) if launched(record.dagster_run)]
    for group in attempts.groups(instance, [run.root_run_id or run.run_id for run in failed]):
        yield [ended(instance, record) for record in group]


def launched(run: dg.DagsterRun) -> bool:
    """Whether it was launched from a code location, and can be again; one of a script's own was its author's to end."""
    return run.remote_job_origin is not None


def retry(webserver: Webserver, run: str, number: int) -> str:
    """Has a run go on from where it failed, or end if all of its steps had; returns the new run's id.

    Raises:
        WebserverError: the webserver or the code server is away, or the job is no longer there.
    """
    tags = {NUMBER: str(number)}
    try:
        return webserver.reexecute(run, "FROM_FAILURE", tags)
    except WebserverError as error:
        if ALL_STEPS_ENDED not in str(error):
            raise
        # They find what they had committed, and compute nothing.
        return webserver.reexecute(run, "ALL_STEPS", tags)


@dg.sensor(
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Retries every run that should have been retried and was not.",
)
def lost_retries(context: dg.SensorEvaluationContext, webserver: dg.ResourceParam[Webserver]) -> dg.SkipReason:
    """Skips always: what it launches is a run of another's, which goes on.

    Raises:
        WebserverError: some could not be retried. The next tick asks again.
    """
    now, instance = time.time(), context.instance
    if not instance.run_retries_enabled:
        return dg.SkipReason("run_retries is off")
    done, refused = [], []
    for group in groups(instance, now):
        if run := forgotten(group, instance.run_retries_max_retries, now):
            try:
                done.append(f"run {run} goes on as {retry(webserver, run, len(group))}")
            except WebserverError as error:
                refused.append(f"run {run} can't go on: {error}")
    if refused:
        raise WebserverError("; ".join(done + refused))
    return dg.SkipReason("; ".join(done) or "no promised retry is missing")
