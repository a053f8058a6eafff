"""When runs have ended for good, so that what they left may grow old.

Belongs here: whether anybody may still adopt what runs left, and since when nobody does. Does not belong here: what is
deleted then (`stored_objects`).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import dagster as dg

from credit_assets.waves.runs.attempts import WAVE_ID
from resources.history.attempt import find_decision
from resources.history.retry_rule import MOST_RETRY_SECONDS
from resources.history.run_groups import BATCH, ENDED, read_groups, read_records


@dataclass(frozen=True)
class Ending:
    """How all runs that share a root run, or a wave, have ended.

    Attributes:
        at: Unix seconds of the last end, by the clock of the runs; None: one of them has not ended.
        retry_promised: whether Dagster has decided to retry one of them, and has not done so.
    """

    at: float | None
    retry_promised: bool = False


def is_over(ending: Ending | None, days: int, most_days: int, last_written: float, now: float) -> bool:
    """Whether nobody adopts what these runs left any more.

    Runs whose retry is promised may begin again late. Runs that Dagster does not know may be those of another release
    that shares the store. What either left is kept for the longer limit.

    Args:
        ending: of the runs; None if Dagster knows none of them.
        days: the limit.
        most_days: the longest limit, for what may still be needed.
        last_written: Unix seconds of their newest object, by the clock of the store.
        now: Unix seconds.
    """
    if ending and ending.at is None:
        return False
    days = max(days, most_days) if ending is None or ending.retry_promised else days
    patience = max(timedelta(days=days).total_seconds(), MOST_RETRY_SECONDS)
    since = last_written if ending is None or ending.at is None else ending.at
    return since + patience < now


def read_endings(instance: dg.DagsterInstance, owners: Collection[str]) -> dict[str, Ending]:
    """How the runs of each root run, or of each wave, have ended; nothing of those that Dagster does not know.

    Args:
        instance: where the runs are.
        owners: ids of runs and of waves, as the keys of the store have them.
    """
    roots = _find_roots(instance, owners)
    every = sorted({root for each in roots.values() for root in each})
    groups = dict(zip(every, read_groups(instance, every), strict=True))
    runs = {owner: [run for root in each for run in groups[root]] for owner, each in roots.items()}
    return {owner: find_ending(each) for owner, each in runs.items() if each}


def find_ending(runs: Sequence[dg.RunRecord]) -> Ending:
    """How these runs, at least one, have ended."""
    retried = {each.dagster_run.parent_run_id for each in runs}
    promised = any(
        each.dagster_run.status is dg.DagsterRunStatus.FAILURE
        and find_decision(each.dagster_run.tags)
        and each.dagster_run.run_id not in retried
        for each in runs
    )
    if any(each.dagster_run.status not in ENDED for each in runs):
        return Ending(None, promised)
    return Ending(max(each.end_time or each.update_timestamp.timestamp() for each in runs), promised)


def _find_roots(instance: dg.DagsterInstance, owners: Collection[str]) -> Mapping[str, set[str]]:
    """The root runs of each owner: of a run its own, of a wave those of all its shards."""
    found = {owner: {owner} for owner in owners}
    for batch in _divide(sorted(owners)):
        for record in read_records(instance, dg.RunsFilter(run_ids=batch)):
            run = record.dagster_run
            found[run.run_id].add(run.root_run_id or run.run_id)
        for record in read_records(instance, dg.RunsFilter(tags={WAVE_ID: batch})):
            run = record.dagster_run
            found[run.tags[WAVE_ID]].add(run.root_run_id or run.run_id)
    return found


def _divide(values: Sequence[str]) -> Iterable[list[str]]:
    return (list(values[begin : begin + BATCH]) for begin in range(0, len(values), BATCH))
