"""Dagster's event log: its tables, and how an event reaches them.

Belongs here: the order in which the rows of an event are written, and pages of events of assets. Does not belong here:
connections (`pooled_connections`), and which events a step reports (`resources.history`).

Dagster's own storage writes one event of an asset in two transactions, over two connections. Thousands of partitions
take minutes that way. Here up to 500 of them share one transaction, a page
(docs/decisions/code/0018-events-of-many-partitions-in-pages.md).
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster_postgres import PostgresRunStorage

from resources.history.run_groups import PAGE
from resources.instance.pooled_connections import Pooled, is_broken
from resources.instance.run_page import RunPageStorage

if TYPE_CHECKING:
    from sqlalchemy import Connection

log = logging.getLogger(__name__)
# The ends of a run that may leave a step without an end.
UNFINISHED_ENDS = (dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_CANCELED)
PLANNED_CHECK = dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
PAGED = (
    dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.ASSET_OBSERVATION,
    PLANNED_CHECK,
)
# Seconds after which PostgreSQL ends the transaction of a client that says nothing more. Until then a worker whose node
# was lost keeps its turn and its lease. A lease is revoked 3 s after its last renewal at the earliest. A
# revocation waits up to 3 s for whoever has locked the lease. So it succeeds.
SILENT_SECONDS = 5
# How often a page is tried if its connection breaks each time. Each try waits for PostgreSQL with all patience.
TRIES = 5
# Whoever writes an asset's events waits for whoever writes them already, so that a greater id never becomes visible
# first. Dagster's status of partitions remembers the greatest id that it has seen, and reads only what lies above it.
# Everybody takes the turns of several assets in one order, so that two writers never wait for each other.
TAKE_TURNS = """SELECT set_config('idle_in_transaction_session_timeout', %(silent)s, true),
  (SELECT count(pg_advisory_xact_lock(hashtext('events of assets'), turn))
   FROM (SELECT DISTINCT hashtext(key) AS turn FROM unnest(%(keys)s::text[]) AS key ORDER BY turn) AS turns)"""
# A page is stored whole or not at all. Whoever has its turn can tell: no earlier try can store it any more.
IS_STORED = "SELECT EXISTS (SELECT FROM event_logs WHERE run_id = %(run_id)s AND event = %(event)s)"
# A check that a run plans twice would end this run when the check is evaluated, because Dagster expects one row.
PLAN_CHECKS = """INSERT INTO asset_check_executions (asset_key, check_name, partition, run_id, execution_status,
    evaluation_event, evaluation_event_timestamp, evaluation_event_storage_id)
  SELECT asset, name, part, run, 'PLANNED', event, at, id
  FROM unnest(%(assets)s::text[], %(names)s::text[], %(parts)s::text[], %(runs)s::text[], %(events)s::text[],
    %(times)s::timestamp[], %(ids)s::bigint[]) AS planned (asset, name, part, run, event, at, id)
  WHERE NOT EXISTS (SELECT FROM asset_check_executions AS known WHERE known.run_id = run
    AND known.asset_key = asset AND known.check_name = name AND known.partition IS NOT DISTINCT FROM part)"""


class EventLogStorage(Pooled, RunPageStorage):
    """Events, asset keys and the places in pools (concurrency slots).

    A run has failed before its failure can be read. Stock writes the event first, and the daemon, which reads it once,
    passes over a run that still looks as if it went on: its retry never came, or half a minute later by `lost_retries`.

    A run that failed or was canceled has no place in a pool any more, whoever reports its end. With stock, a place
    whose worker could not give it back is free only after `free_slots_after_run_end_seconds`; the retry waits for it.
    """

    runs: PostgresRunStorage

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._columns_there: set[str] = set()

    def has_asset_key_col(self, column_name: str) -> bool:
        return column_name in self._columns_there or super().has_asset_key_col(column_name)

    def _has_asset_key_col_on_connection(self, conn: "Connection", column_name: str) -> bool:
        """Whether `asset_keys` has a column. Stock reads it from the catalogue whenever it reads assets.

        A migration may add a column, and none takes one away. So only "yes" is kept.
        """
        if column_name in self._columns_there:
            return True
        found = super()._has_asset_key_col_on_connection(conn, column_name)
        if found:
            self._columns_there.add(column_name)
        return found

    def optimize_for_webserver(self, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:
        super().optimize_for_webserver(statement_timeout, pool_recycle, max_overflow)
        self.is_webserver = True

    def store_event(self, event: dg.EventLogEntry) -> None:
        stored = event.dagster_event
        if stored and stored.event_type in PAGED:
            self._store_page([event])
            return
        if stored and stored.is_run_failure:
            self.runs.handle_run_event(event.run_id, stored, datetime.fromtimestamp(event.timestamp, UTC))
        super().store_event(event)
        if stored and stored.event_type in UNFINISHED_ENDS:  # not before: a worker without a lease may not end its run
            self._free_places(event.run_id)

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Stores events in their order. If a page can't be written, nothing of it is, and what came before it stays.

        Dagster then stores the whole batch again, event by event. Its batches are no longer than a page.
        """
        stored = [each for each in events if each.get_dagster_event().event_type in PAGED]  # Dagster drops the others
        for begin in range(0, len(stored), PAGE):
            self._store_page(stored[begin : begin + PAGE])

    def _store_page(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Writes events in one transaction, and again if its connection breaks.

        A connection breaks if PostgreSQL stood still for longer than a client may be silent, and if it was stopped.
        Nobody knows then whether a commit was carried out. So every further try looks first.

        Raises:
            sqlalchemy.exc.DBAPIError: the connection broke in each of five tries, or PostgreSQL stayed away.
        """
        import tenacity

        tries = tenacity.Retrying(
            retry=tenacity.retry_if_exception(is_broken),
            stop=tenacity.stop_after_attempt(TRIES),
            before_sleep=lambda _: log.warning(
                "a page of %d events is written again: its connection broke", len(events)
            ),
            reraise=True,
        )
        for each in tries:
            with each:
                self._try_page(events, is_first=each.retry_state.attempt_number == 1)

    def _try_page(self, events: Sequence[dg.EventLogEntry], *, is_first: bool) -> None:
        """Writes events in one transaction, unless an earlier try has written them.

        The last event of a type leaves the row of its asset as all of them would, one after the other. Stock updates
        the row of the last event's asset only, and loses the others of a mixed batch.

        The statement is the same for every page, so that SQLAlchemy compiles it once, and not while others wait.
        """
        rows = [self._event_to_row(event) for event in events]
        table = self.prepare_insert_event(events[0]).table
        insert = table.insert().returning(table.c.id, sort_by_parameter_order=True)
        of_assets = [place for place, row in enumerate(rows) if row["asset_key"]]
        last = {(rows[place]["dagster_event_type"], rows[place]["asset_key"]): place for place in of_assets}
        keys = sorted({asset for _, asset in last}) or [events[0].run_id]  # planned checks alone belong to no asset
        with self.index_transaction() as connection:
            connection.exec_driver_sql(TAKE_TURNS, {"keys": keys, "silent": f"{SILENT_SECONDS}s"})
            if not is_first and connection.exec_driver_sql(IS_STORED, rows[0]).scalar():
                return
            ids = connection.execute(insert, rows).scalars().all()
            self._store_asset_event_tags(
                connection, [events[place] for place in of_assets], [ids[place] for place in of_assets]
            )
            for place in sorted(last.values()):
                self._store_asset_event(connection, events[place], ids[place])
            if checks := describe_planned_checks(events, rows, ids):
                connection.exec_driver_sql(PLAN_CHECKS, checks)

    def _free_places(self, run_id: str) -> None:
        """An error here must not become one of the run, whose end is written. Dagster's monitor frees them later."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            self.free_concurrency_slots_for_run(run_id)
        except SQLAlchemyError as error:
            log.warning("run %s keeps its places in pools for a while: %s", run_id, type(error).__name__)


def describe_planned_checks(
    events: Sequence[dg.EventLogEntry], rows: Sequence[Mapping[str, Any]], ids: Sequence[int]
) -> dict[str, list[Any]]:
    """The rows by which Dagster finds the checks that these events plan, as columns; empty if they plan none.

    Args:
        events: of any kinds.
        rows: of the event log, one for each event.
        ids: of these rows.
    """
    columns: dict[str, list[Any]] = defaultdict(list)
    for event, row, id in zip(events, rows, ids, strict=True):
        if row["dagster_event_type"] != PLANNED_CHECK.value:
            continue
        planned = event.get_dagster_event().asset_check_planned_data
        for partition in planned.partitions_subset.get_partition_keys() if planned.partitions_subset else [None]:
            columns["assets"].append(planned.asset_key.to_string())
            columns["names"].append(planned.check_name)
            columns["parts"].append(partition)
            columns["runs"].append(event.run_id)
            columns["events"].append(row["event"])
            columns["times"].append(row["timestamp"])
            columns["ids"].append(id)
    return dict(columns)
