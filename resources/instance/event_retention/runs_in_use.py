"""Runs whose events somebody may still read: those that have not ended, and those that may still be retried.

Belongs here: these two questions. Does not belong here: what is deleted of other runs.
"""

from datetime import UTC, datetime

import dagster as dg

from resources.history.retry_rule import MOST_RETRY_SECONDS
from resources.history.run_groups import UNFINISHED, read_groups, read_records


def find_unfinished_runs(instance: dg.DagsterInstance) -> list[str]:
    """Ids of all runs that have not ended."""
    return [record.dagster_run.run_id for record in read_records(instance, dg.RunsFilter(statuses=UNFINISHED))]


def find_runs_in_use(instance: dg.DagsterInstance, now: float) -> list[str]:
    """Ids of all runs whose group has a run that has not ended, or that may still be retried.

    Args:
        instance: where the runs are.
        now: Unix seconds.
    """
    recent = datetime.fromtimestamp(now - MOST_RETRY_SECONDS, UTC)
    filters = (dg.RunsFilter(statuses=UNFINISHED), dg.RunsFilter(updated_after=recent))
    runs = [record.dagster_run for wanted in filters for record in read_records(instance, wanted)]
    roots = [run.root_run_id or run.run_id for run in runs]
    groups = read_groups(instance, roots)
    return sorted({run.run_id for run in runs} | {each.dagster_run.run_id for group in groups for each in group})
