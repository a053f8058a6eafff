"""One run, as everybody here sees it: the retry rule, the report, the metrics and the alerts.

Belongs here: the model, and the pure function that makes it from a run's record, its events and its parent's tags. Does
not belong here: reading from Dagster's storage (`run_groups`), and decisions (`retry_rule`, `interruptions`).

All times are Unix seconds by the clock of whoever wrote them: the worker, the daemon or PostgreSQL.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import dagster as dg

from resources.history.facts import is_committed_block
from resources.history.step_failures import has_own_failure
from resources.history.tags import CAPACITY, CRASHED, LOST_AT, MAX_RETRIES, NODE, REASON, WILL_RETRY

EVENT = dg.DagsterEventType
# After these events a retry does not repeat what came before.
KEEPS_WORK = {EVENT.RUN_START, EVENT.STEP_START, EVENT.STEP_SUCCESS}


class InterruptionKind(StrEnum):
    """How a run lost its worker: it was asked to stop, it vanished, or it crashed."""

    NOTICE = "notice"
    LOST = "lost"
    CRASH = "crash"


@dataclass(frozen=True)
class Attempt:
    """One run of a run group: the root run, or one of its retries.

    Attributes:
        parent: id of the run that it retries.
        requested: when its worker was requested.
        began: whether a worker began to work on it.
        first_step: when its first step started; None: no step has started.
        ended: whether its status is final.
        failed: when its failure was logged; None: it has not failed.
        own_step_failed: whether it failed because of one of its own steps, so that a retry would fail again.
        interruption: how it lost its worker; None: it did not.
        lost_at: the last renewal of the lease, if its worker was given up.
        last_sign: the last event of its worker.
        kept: the times since which a retry repeats the work: start of run or step, end of a step, committed block.
        node: None: unknown.
        spot: whether it was bound to spot nodes; None: unknown.
        max_retries: its own limit of retries; None: the instance's limit.
        will_retry: what Dagster's daemon has decided; None: nothing yet.
        relaunchable: whether it was launched from a code location, so that it can be launched again.
    """

    run: str
    root_run: str
    parent: str | None = None
    requested: float = 0
    began: bool = False
    first_step: float | None = None
    ended: bool = False
    failed: float | None = None
    own_step_failed: bool = False
    interruption: InterruptionKind | None = None
    lost_at: float | None = None
    last_sign: float | None = None
    kept: tuple[float, ...] = ()
    node: str | None = None
    spot: bool | None = None
    max_retries: int | None = None
    will_retry: bool | None = None
    relaunchable: bool = True


def make_attempt(
    record: dg.RunRecord, entries: Sequence[dg.EventLogEntry], parent_tags: Mapping[str, str] | None = None
) -> Attempt:
    """Describes one run.

    Args:
        record: Dagster's record of the run.
        entries: events of the run, the oldest first; all of them if it failed.
        parent_tags: tags of the run that it retries. A tag with the same value was inherited, and says nothing.
    """
    run, tags, parent_tags = record.dagster_run, record.dagster_run.tags, parent_tags or {}
    failed = run.status is dg.DagsterRunStatus.FAILURE
    began, first_step = record.start_time is not None, find_time(entries, EVENT.STEP_START)
    lost_at = float(tags[LOST_AT]) if LOST_AT in tags and tags[LOST_AT] != parent_tags.get(LOST_AT) else None
    own_step_failed = failed and tags.get(REASON) == "STEP_FAILURE" and has_own_failure(entries)
    signs = [entry for entry in entries if entry.step_key or entry.dagster_event_type is EVENT.RUN_START]
    # A run tags itself with its node before its first step. Until then its tags are those of its parent.
    own_tags = tags if first_step is not None else {}
    return Attempt(
        run=run.run_id,
        root_run=run.root_run_id or run.run_id,
        parent=run.parent_run_id,
        requested=find_time(entries, EVENT.RUN_STARTING) or record.create_timestamp.timestamp(),
        began=began,
        first_step=first_step,
        ended=run.is_finished,
        failed=find_failure_time(record, entries) if failed else None,
        own_step_failed=own_step_failed,
        interruption=find_interruption(run, began, lost_at, own_step_failed) if failed else None,
        lost_at=lost_at,
        last_sign=max((entry.timestamp for entry in signs), default=None),
        kept=tuple(entry.timestamp for entry in signs if keeps_work(entry)),
        node=own_tags.get(NODE),
        spot=own_tags[CAPACITY] == "spot" if CAPACITY in own_tags else None,
        max_retries=int(tags[MAX_RETRIES]) if tags.get(MAX_RETRIES, "").isdecimal() else None,
        will_retry=find_decision(tags),
        relaunchable=is_relaunchable(run),
    )


def find_interruption(
    run: dg.DagsterRun, began: bool, lost_at: float | None, own_step_failed: bool
) -> InterruptionKind | None:
    """How a failed run lost its worker.

    None: its own step failed, or no worker ever began, so that nobody lost anything.
    """
    if own_step_failed:
        return None
    if lost_at is not None:
        return InterruptionKind.LOST
    if run.tags.get(CRASHED) == run.run_id:
        return InterruptionKind.CRASH
    if run.tags.get(REASON) == "UNEXPECTED_TERMINATION":
        return InterruptionKind.NOTICE
    return InterruptionKind.LOST if began else None


def keeps_work(entry: dg.EventLogEntry) -> bool:
    """Whether a retry does not repeat what a step did before this entry."""
    return entry.dagster_event_type in KEEPS_WORK or is_committed_block(entry)


def find_time(entries: Iterable[dg.EventLogEntry], event_type: dg.DagsterEventType) -> float | None:
    """When the first event of a type was logged; None: never."""
    return next((entry.timestamp for entry in entries if entry.dagster_event_type is event_type), None)


def find_failure_time(record: dg.RunRecord, entries: Iterable[dg.EventLogEntry]) -> float:
    """When a failed run failed. Its worker may have died between the status and the event."""
    return find_time(entries, EVENT.RUN_FAILURE) or record.end_time or record.update_timestamp.timestamp()


def find_decision(tags: Mapping[str, str]) -> bool | None:
    """Whether Dagster's daemon has decided to retry the run of these tags; None: not yet."""
    return tags[WILL_RETRY] == "true" if WILL_RETRY in tags else None


def is_relaunchable(run: dg.DagsterRun) -> bool:
    """Whether a run was launched from a code location. A run that a script executes itself can't be launched again."""
    return run.remote_job_origin is not None
