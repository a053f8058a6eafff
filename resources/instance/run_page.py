"""What the webserver reads for the page of a run: its log, and the times of its steps.

A run over thousands of partitions has two events for each. Dagster's page loads the whole log before it shows a step,
which takes half a minute with 20,000 partitions. The times of the steps are computed from all materializations too,
although these have no times.

Belongs here: which events of a run the page is given. Does not belong here: how events are written
(`event_log_storage`), and pages of assets.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

# Not public: docs/decisions/code/0017-names-of-dagster-that-are-not-public.md.
from dagster._core.event_api import EventLogCursor  # noqa: TID251
from dagster._core.execution.stats import (  # noqa: TID251
    STEP_STATS_EVENT_TYPES,
    build_run_step_stats_from_events,
)
from dagster._core.storage.event_log.base import EventLogConnection  # noqa: TID251
from dagster_postgres import PostgresEventLogStorage

STEP_EVENTS = STEP_STATS_EVENT_TYPES - {dg.DagsterEventType.ASSET_MATERIALIZATION}
# A log with more events of single partitions is shown without them. The page of the asset has them all.
MOST_PARTITION_EVENTS = 1_000
OF_A_PARTITION = """partition IS NOT NULL
  AND dagster_event_type IN ('ASSET_MATERIALIZATION_PLANNED', 'ASSET_MATERIALIZATION')"""
COUNT = f"""SELECT count(*) FROM (
  SELECT FROM event_logs WHERE run_id = %(run)s AND {OF_A_PARTITION} LIMIT %(limit)s) AS events"""  # noqa: S608 constants only
LOG = f"""SELECT id, event FROM event_logs WHERE run_id = %(run)s AND id > %(after)s
  AND ({OF_A_PARTITION}) IS NOT TRUE ORDER BY id LIMIT %(limit)s"""  # noqa: S608 constants only


class RunPageStorage(PostgresEventLogStorage):
    """A storage whose webserver reads no event of a single partition, if a run has thousands.

    Attributes:
        is_webserver: whether this process serves the UI. Other processes read every event of a run.
    """

    is_webserver = False

    def get_step_stats_for_run(self, run_id: str, step_keys: Sequence[str] | None = None) -> Sequence[Any]:
        """Status and times of each step. The materializations, which stock adds to them, no page shows there."""
        entries = self.get_logs_for_run(run_id, of_type=STEP_EVENTS)
        return build_run_step_stats_from_events(
            run_id, [entry for entry in entries if entry.step_key and (not step_keys or entry.step_key in step_keys)]
        )

    def get_records_for_run(
        self,
        run_id: str,
        cursor: str | None = None,
        of_type: dg.DagsterEventType | set[dg.DagsterEventType] | None = None,
        limit: int | None = None,
        ascending: bool = True,
    ) -> EventLogConnection:
        """A part of a run's events. The UI reads its log without types, from the first event to the last."""
        after = EventLogCursor.parse(cursor) if cursor else EventLogCursor.from_storage_id(-1)
        is_log = self.is_webserver and of_type is None and ascending and after.is_id_cursor()
        if not is_log or not self._has_many_partitions(run_id):
            return super().get_records_for_run(run_id, cursor, of_type, limit, ascending)
        with self.run_connection(run_id) as connection:
            values = {"run": run_id, "after": after.storage_id(), "limit": limit}
            rows = connection.exec_driver_sql(LOG, values).all()
        records = [dg.EventLogRecord(number, dg.deserialize_value(event, dg.EventLogEntry)) for number, event in rows]
        last = EventLogCursor.from_storage_id(rows[-1][0]) if rows else after
        return EventLogConnection(records, last.to_string(), has_more=bool(limit and len(rows) == limit))

    def _has_many_partitions(self, run_id: str) -> bool:
        with self.run_connection(run_id) as connection:
            values = {"run": run_id, "limit": MOST_PARTITION_EVENTS + 1}
            return connection.exec_driver_sql(COUNT, values).scalar_one() > MOST_PARTITION_EVENTS
