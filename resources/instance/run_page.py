"""What the webserver reads for the page of a run: its log, and the times of its steps.

A run over thousands of partitions has two events for each. Dagster's page loads the whole log before it shows a step,
and the times of the steps are computed from all materializations, although these have no times.

Belongs here: which events of a run the page is given. Does not belong here: how events are written
(`event_log_storage`), and pages of assets.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

# Not public: docs/decisions/code/0017-names-of-dagster-that-are-not-public.md.
from dagster._core.execution.stats import (  # noqa: TID251
    STEP_STATS_EVENT_TYPES,
    build_run_step_stats_from_events,
)
from dagster_postgres import PostgresEventLogStorage

STEP_EVENTS = STEP_STATS_EVENT_TYPES - {dg.DagsterEventType.ASSET_MATERIALIZATION}


class RunPageStorage(PostgresEventLogStorage):
    """A storage whose reads don't grow with the partitions of a run more than they need to.

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
    ) -> Any:
        """A page of a run's events. The log in the UI has no event of a partition that was planned.

        A partition that was made has another event there. One that was not made is red on the page of its asset.
        """
        found = super().get_records_for_run(run_id, cursor, of_type, limit, ascending)
        if of_type is not None or not self.is_webserver:
            return found
        return found._replace(records=[record for record in found.records if not is_planned_partition(record)])


def is_planned_partition(record: dg.EventLogRecord) -> bool:
    """Whether an event only says that a run is going to make one partition."""
    event = record.event_log_entry.dagster_event
    return bool(
        event
        and event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
        and event.asset_materialization_planned_data.partition is not None
    )
