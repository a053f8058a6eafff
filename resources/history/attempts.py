"""Attempts at a run, as Dagster's own storage tells of them: its records of runs, their tags, and their events.

A group is a run that was asked for and all that went on from it, the oldest first. Times are Unix seconds by the clock
of whoever wrote them: the worker's, the daemon's, PostgreSQL's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import dagster as dg

from resources.history.facts import is_committed_block
from resources.history.step_failures import is_a_steps_own
from resources.history.tags import CAPACITY, CRASHED, LOST_AT, NODE, REASON, ROOT

# How what a step says ends when a part of its work is kept for the next attempt (resources/store/blocks.py).
COMMITTED = " committed"
# Events or runs of one question, and groups of one.
PAGE, BATCH = 500, 100
EVENT = dg.DagsterEventType
LASTING = {EVENT.RUN_START, EVENT.STEP_START, EVENT.STEP_SUCCESS}


class How(StrEnum):
    """How a worker was interrupted: it was asked to end and did, it was gone, or it ended by itself."""

    NOTICE = "notice"
    LOST = "lost"
    CRASH = "crash"


@dataclass(frozen=True)
class Attempt:
    """One run of a group.

    Attributes:
        launched: when its worker was asked for.
        first_step: when its first step started; None: none has.
        how: None: it was not interrupted.
        failed: when its failure was logged, if it was interrupted.
        lost_at: when a worker that was given up was last heard of.
        last_sign: its worker's last event.
        kept: when its worker had done something that is not done again: began, ended a step, committed a block.
        node: None: it never said.
        spot: whether it was bound to spot nodes; None: it never said.
        over: whether it has ended, so that nothing of this changes any more.
    """

    run: str
    root_run: str
    launched: float
    first_step: float | None = None
    how: How | None = None
    failed: float = 0
    lost_at: float | None = None
    last_sign: float | None = None
    kept: tuple[float, ...] = ()
    node: str | None = None
    spot: bool | None = None
    over: bool = False


def is_kept(message: str) -> bool:
    """Whether what a step said means that a part of its work is kept for the next attempt."""
    return message.endswith(COMMITTED)


def how(run: dg.DagsterRun, gave_up: bool, own_step_failed: bool) -> How | None:
    """How a run was interrupted; None if it was not: it ended well, was stopped by somebody, or failed by itself."""
    if run.status is not dg.DagsterRunStatus.FAILURE:
        return None
    if gave_up:
        return How.LOST
    if run.tags.get(CRASHED) == run.run_id:
        return How.CRASH
    if run.tags.get(REASON) == "UNEXPECTED_TERMINATION":
        return How.NOTICE
    return None if own_step_failed else How.LOST


def attempt(record: dg.RunRecord, entries: Sequence[dg.EventLogEntry], parents: Mapping[str, str]) -> Attempt:
    """A run, from its record, its events in their order, and the tags of the run that it retries, which it inherits."""
    run, tags = record.dagster_run, record.dagster_run.tags
    root = run.root_run_id or run.run_id
    launched = first(entries, EVENT.RUN_STARTING) or record.create_timestamp.timestamp()
    first_step = first(entries, EVENT.STEP_START)
    lost_at = float(tags[LOST_AT]) if LOST_AT in tags and tags[LOST_AT] != parents.get(LOST_AT) else None
    own = tags.get(REASON) == "STEP_FAILURE" and is_a_steps_own(entries)
    ended = how(run, lost_at is not None, own)
    if ended is None or (ended is How.LOST and lost_at is None and first(entries, EVENT.RUN_START) is None):
        return Attempt(
            run.run_id, root, launched, first_step, over=run.is_finished
        )  # it may have waited in vain: nobody had begun to work
    signs = [entry for entry in entries if entry.step_key or kind(entry) is EVENT.RUN_START]
    # A run says where it is before its first step; until then its tags are those of the run that it retries.
    placed = tags if first_step is not None else {}
    return Attempt(
        run.run_id,
        root,
        launched,
        first_step,
        ended,
        failed=first(entries, EVENT.RUN_FAILURE) or record.end_time or record.update_timestamp.timestamp(),
        lost_at=lost_at,
        last_sign=max((entry.timestamp for entry in signs), default=None),
        kept=tuple(entry.timestamp for entry in signs if kind(entry) in LASTING or is_committed_block(entry)),
        node=placed.get(NODE),
        spot=placed[CAPACITY] == "spot" if CAPACITY in placed else None,
        over=True,
    )


def kind(entry: dg.EventLogEntry) -> dg.DagsterEventType | None:
    """Of a message that a step logged there is none."""
    return entry.dagster_event.event_type if entry.dagster_event else None


def first(entries: Iterable[dg.EventLogEntry], wanted: dg.DagsterEventType) -> float | None:
    """When the first event of a kind was logged."""
    return next((entry.timestamp for entry in entries if kind(entry) is wanted), None)


def read(
    instance: dg.DagsterInstance, since: float, known: Mapping[str, Attempt] | None = None
) -> Iterator[list[Attempt]]:
    """The attempts of every group of which a run has failed since then, the latest group first.

    Args:
        known: what was read before, by run: of one that had ended then, the events are not read again.
    """
    failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=datetime.fromtimestamp(since, UTC))
    runs = [record.dagster_run for record in records(instance, failed)]
    over = {run: each for run, each in (known or {}).items() if each.over}
    for group in groups(instance, [run.root_run_id or run.run_id for run in runs]):
        tags = {each.dagster_run.run_id: each.dagster_run.tags for each in group}
        yield [
            over.get(each.dagster_run.run_id)
            or attempt(each, read_entries(instance, each), tags.get(each.dagster_run.parent_run_id or "", {}))
            for each in group
        ]


def groups(instance: dg.DagsterInstance, roots: Iterable[str]) -> Iterator[list[dg.RunRecord]]:
    """The runs that were asked for, in their order, each with all that went on from it, the oldest first."""
    asked_for = list(dict.fromkeys(roots))
    for begin in range(0, len(asked_for), BATCH):
        batch = asked_for[begin : begin + BATCH]
        found = dict[str, list[dg.RunRecord]]()
        for filters in (dg.RunsFilter(run_ids=batch), dg.RunsFilter(tags={ROOT: batch})):
            for record in records(instance, filters):
                run = record.dagster_run
                found.setdefault(run.tags.get(ROOT, run.run_id), []).append(record)
        for root in batch:
            group = {each.dagster_run.run_id: each for each in found.get(root, [])}
            yield sorted(group.values(), key=lambda each: each.create_timestamp)


def read_entries(instance: dg.DagsterInstance, record: dg.RunRecord) -> list[dg.EventLogEntry]:
    """Events of a run in their order: all of them if it failed, or else those that say when it began."""
    failed = record.dagster_run.status is dg.DagsterRunStatus.FAILURE
    wanted = None if failed else {EVENT.RUN_STARTING, EVENT.RUN_START, EVENT.STEP_START}
    found, cursor, more = [], None, True
    while more:
        page = instance.get_records_for_run(record.dagster_run.run_id, cursor, wanted, limit=PAGE)
        found += [each.event_log_entry for each in page.records]
        cursor, more = page.cursor, page.has_more
    return found


@dataclass(frozen=True)
class Worked:
    """For how many seconds the worker of a run was there, until when, and whether it was bound to spot nodes."""

    until: float
    seconds: float
    spot: bool | None


def worked(instance: dg.DagsterInstance, since: float) -> Iterator[Worked]:
    """Every run that ended since then. One that was given up was there until it was last heard of."""
    for record in records(instance, dg.RunsFilter(updated_after=datetime.fromtimestamp(since, UTC))):
        tags, began, ended = record.dagster_run.tags, record.start_time, record.end_time
        if began is None or ended is None or ended < since:
            continue
        until = min(ended, last) if (last := float(tags.get(LOST_AT, 0))) > began else ended
        yield Worked(until, max(0.0, until - began), tags[CAPACITY] == "spot" if CAPACITY in tags else None)


def records(instance: dg.DagsterInstance, filters: dg.RunsFilter) -> Iterator[dg.RunRecord]:
    """Records of runs, the newest first, read in pages."""
    cursor = None
    while page := instance.get_run_records(filters, limit=PAGE, cursor=cursor):
        yield from page
        cursor = page[-1].dagster_run.run_id
