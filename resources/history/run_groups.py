"""Reading run groups from Dagster's storage, in pages: a group is a root run and all its retries.

Belongs here: every question to the storage about runs and their events. Does not belong here: what the answers mean
(`attempt`, `interruptions`, `retry_rule`).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import dagster as dg

from resources.history.attempt import EVENT, Attempt, find_decision, make_attempt
from resources.history.tags import CAPACITY, LOST_AT, ROOT

# Events or runs of one query, and groups of one query.
PAGE, BATCH = 500, 100
# Events that say when a run began.
BEGINNING = {EVENT.RUN_STARTING, EVENT.RUN_START, EVENT.STEP_START}
# What the retry rule needs of a failed run. A wave has thousands of other events.
FAILING = BEGINNING | {EVENT.RUN_FAILURE, EVENT.STEP_FAILURE}
ENDED = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
UNFINISHED = [status for status in dg.DagsterRunStatus if status not in ENDED]


@dataclass(frozen=True)
class WorkerTime:
    """How long the worker of one run was there.

    Attributes:
        until: Unix seconds of its end.
        seconds: from its start to its end.
        spot: whether it was bound to spot nodes; None: unknown.
    """

    until: float
    seconds: float
    spot: bool | None


def read_failed_groups(instance: dg.DagsterInstance, since: float) -> Iterator[list[dg.RunRecord]]:
    """Every group of which a run has failed since then (Unix seconds), the latest group first."""
    failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=datetime.fromtimestamp(since, UTC))
    runs = [record.dagster_run for record in read_records(instance, failed)]
    yield from read_groups(instance, [run.root_run_id or run.run_id for run in runs])


def read_groups(instance: dg.DagsterInstance, roots: Iterable[str]) -> Iterator[list[dg.RunRecord]]:
    """The groups of these root runs, in this order; the oldest run of a group first."""
    wanted = list(dict.fromkeys(roots))
    for begin in range(0, len(wanted), BATCH):
        batch = wanted[begin : begin + BATCH]
        found = dict[str, list[dg.RunRecord]]()
        for filters in (dg.RunsFilter(run_ids=batch), dg.RunsFilter(tags={ROOT: batch})):
            for record in read_records(instance, filters):
                run = record.dagster_run
                found.setdefault(run.tags.get(ROOT, run.run_id), []).append(record)
        for root in batch:
            group = {each.dagster_run.run_id: each for each in found.get(root, [])}
            yield sorted(group.values(), key=lambda each: each.create_timestamp)


def read_attempts(
    instance: dg.DagsterInstance,
    group: Sequence[dg.RunRecord],
    known: Mapping[str, Attempt] | None = None,
    *,
    only_failing: bool = False,
) -> list[Attempt]:
    """The attempts of one group.

    Args:
        instance: where the events are.
        group: the records of its runs, the oldest first.
        known: attempts that were read before, by run. The events of those that had ended are not read again.
        only_failing: whether only what the retry rule needs is read. `kept` and `last_sign` are incomplete then.
    """
    ended = {run: attempt for run, attempt in (known or {}).items() if attempt.ended}
    tags = {record.dagster_run.run_id: record.dagster_run.tags for record in group}
    found = []
    for record in group:
        run = record.dagster_run
        if before := ended.get(run.run_id):
            # Dagster's daemon decides after the run has ended.
            found.append(replace(before, will_retry=find_decision(run.tags)))
        else:
            events = BEGINNING
            if run.status is dg.DagsterRunStatus.FAILURE:
                events = FAILING if only_failing else None
            entries = read_events(instance, run.run_id, events)
            found.append(make_attempt(record, entries, tags.get(run.parent_run_id or "")))
    return found


def read_events(
    instance: dg.DagsterInstance, run: str, types: Collection[dg.DagsterEventType] | None = None
) -> list[dg.EventLogEntry]:
    """The events of a run, the oldest first: all of them, or those of some types."""
    found, cursor, more = [], None, True
    while more:
        page = instance.get_records_for_run(run, cursor, set(types) if types else None, limit=PAGE)
        found += [each.event_log_entry for each in page.records]
        cursor, more = page.cursor, page.has_more
    return found


def read_worker_times(instance: dg.DagsterInstance, since: float) -> Iterator[WorkerTime]:
    """The worker of every run that ended since then. A worker that was given up ended with its last renewal."""
    for record in read_records(instance, dg.RunsFilter(updated_after=datetime.fromtimestamp(since, UTC))):
        tags, began, ended = record.dagster_run.tags, record.start_time, record.end_time
        if began is None or ended is None or ended < since:
            continue
        # A time before its start is its parent's.
        until = min(ended, lost_at) if (lost_at := float(tags.get(LOST_AT, 0))) > began else ended
        yield WorkerTime(until, max(0.0, until - began), tags[CAPACITY] == "spot" if CAPACITY in tags else None)


def read_records(instance: dg.DagsterInstance, filters: dg.RunsFilter) -> Iterator[dg.RunRecord]:
    """Records of runs, the newest first."""
    cursor = None
    while page := instance.get_run_records(filters, limit=PAGE, cursor=cursor):
        yield from page
        cursor = page[-1].dagster_run.run_id


def find_unfinished_run(instance: dg.DagsterInstance, jobs: Iterable[str]) -> str | None:
    """Id of a run of one of these jobs that has not ended; None if all have."""
    for job in jobs:
        if records := instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED, job_name=job), limit=1):
            return records[0].dagster_run.run_id
    return None
