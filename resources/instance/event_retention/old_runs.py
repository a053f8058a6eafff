"""Old runs that nothing shown belongs to: which they are, how large, and their deletion.

A run whose event Dagster still shows stays: the newest materialization of an asset or of a partition, or a planned
event that makes a partition red.

Belongs here: the SQL on runs, and the order in which one is deleted. Does not belong here: single events of runs that
stay (`partition_events`).
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from resources.history.run_groups import ENDED
from resources.instance.event_retention.connecting import connect_to_events
from resources.instance.event_retention.partition_events import MADE, PLANNED, STATEMENT_ROWS
from resources.instance.event_retention.runs_in_use import find_runs_in_use

# Two conditions, because no index serves `IS NOT DISTINCT FROM`: each event would be compared with all others.
OVER = f"""SELECT old.run_id FROM runs AS old
  WHERE old.pipeline_name = ANY(%(jobs)s) AND old.status = ANY(%(ended)s) AND old.update_timestamp < %(before)s
    AND old.run_id <> ALL(%(in_use)s::text[])
    AND NOT EXISTS (SELECT FROM event_logs AS kept WHERE kept.run_id = old.run_id AND kept.asset_key IS NOT NULL
      AND kept.dagster_event_type IN ('{PLANNED}', '{MADE}')
      AND NOT EXISTS (SELECT FROM event_logs AS later WHERE later.asset_key = kept.asset_key
        AND later.dagster_event_type = '{MADE}' AND later.partition = kept.partition AND later.id > kept.id)
      AND (kept.partition IS NOT NULL OR NOT EXISTS (SELECT FROM event_logs AS later
        WHERE later.asset_key = kept.asset_key AND later.dagster_event_type = '{MADE}' AND later.partition IS NULL
        AND later.id > kept.id)))
  ORDER BY old.id"""  # noqa: S608 constants only
MEASURE = "SELECT coalesce(sum(pg_column_size(event)), 0) FROM event_logs WHERE run_id = ANY(%(runs)s)"
DELETE_EVENTS = """WITH page AS MATERIALIZED (SELECT id FROM event_logs WHERE run_id = %(run)s LIMIT %(rows)s),
  tags AS (DELETE FROM asset_event_tags USING page WHERE asset_event_tags.event_id = page.id),
  events AS (DELETE FROM event_logs USING page WHERE event_logs.id = page.id)
  SELECT count(*) FROM page"""
DELETE_CHECKS = "DELETE FROM asset_check_executions WHERE run_id = %(run)s"


def find_old_runs(instance: dg.DagsterInstance, jobs: Sequence[str], before: float, now: float) -> list[str]:
    """Ids of runs that ended before a limit, that are not retried any more, and that nothing shown belongs to.

    Args:
        instance: where the runs are.
        jobs: names of their jobs.
        before: the limit, in Unix seconds.
        now: Unix seconds.
    """
    values = {
        "jobs": list(jobs),
        "ended": [status.value for status in ENDED],
        "before": datetime.fromtimestamp(before, UTC).replace(tzinfo=None),
        "in_use": find_runs_in_use(instance, now),
    }
    with connect_to_events(instance) as connection:
        return list(connection.exec_driver_sql(OVER, values).scalars())


def measure_runs(instance: dg.DagsterInstance, runs: Sequence[str]) -> int:
    """Bytes of the text of all events of these runs, as it is kept."""
    with connect_to_events(instance) as connection:
        return int(connection.exec_driver_sql(MEASURE, {"runs": list(runs)}).scalar_one())


def delete_runs(instance: dg.DagsterInstance, runs: Sequence[str], rows: int = STATEMENT_ROWS) -> None:
    """Deletes runs, each after its events. So a deletion that is interrupted leaves no event without its run.

    Args:
        instance: where the runs are.
        runs: their ids.
        rows: how many events one transaction deletes.
    """
    for run in runs:
        with connect_to_events(instance) as connection:
            while connection.exec_driver_sql(DELETE_EVENTS, {"run": run, "rows": rows}).scalar_one() == rows:
                pass
            connection.exec_driver_sql(DELETE_CHECKS, {"run": run})
        instance.delete_run(run)
