"""Events and runs that are superseded: what Dagster shows is the same with and without them.

Each deletion is a statement with a bounded number of rows, and a transaction of its own. So nobody waits for it, and it
may end anywhere: the next one deletes what is left.

Belongs here: which rows are superseded. Does not belong here: which assets and jobs are meant.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import dagster as dg

from resources.instance.pooled_connections import Pooled

# Rows of one statement: it takes some tenths of a second.
ROWS = 5_000
ENDED = ("SUCCESS", "FAILURE", "CANCELED")
# A planned event says that a run is going to make a partition. When it has, its materialization says the same.
FULFILLED = """SELECT planned.id FROM event_logs AS planned JOIN runs USING (run_id)
  WHERE planned.asset_key = %(asset)s AND planned.dagster_event_type = 'ASSET_MATERIALIZATION_PLANNED'
    AND planned.partition IS NOT NULL AND runs.status = ANY(%(ended)s)
    AND EXISTS (SELECT FROM event_logs AS made WHERE made.asset_key = planned.asset_key
      AND made.dagster_event_type = 'ASSET_MATERIALIZATION' AND made.partition = planned.partition
      AND made.run_id = planned.run_id)"""
# An event of a partition, before the newest materialization of this partition. What makes a partition red is after it.
OVERTAKEN = """SELECT old.id FROM event_logs AS old LEFT JOIN runs USING (run_id)
  WHERE old.asset_key = %(asset)s AND old.partition IS NOT NULL AND old.timestamp < %(before)s
    AND old.dagster_event_type IN ('ASSET_MATERIALIZATION_PLANNED', 'ASSET_MATERIALIZATION', 'ASSET_OBSERVATION')
    AND (runs.status IS NULL OR runs.status = ANY(%(ended)s))
    AND EXISTS (SELECT FROM event_logs AS newer WHERE newer.asset_key = old.asset_key
      AND newer.dagster_event_type = 'ASSET_MATERIALIZATION' AND newer.partition = old.partition
      AND newer.id > old.id)"""
# Events of a partition that Dagster does not have any more, if all of them are old.
DEPARTED = """SELECT old.id FROM event_logs AS old LEFT JOIN runs USING (run_id)
  WHERE old.asset_key = %(asset)s AND old.partition IS NOT NULL AND old.timestamp < %(before)s
    AND (runs.status IS NULL OR runs.status = ANY(%(ended)s))
    AND NOT EXISTS (SELECT FROM dynamic_partitions AS known
      WHERE known.partitions_def_name = %(partitions)s AND known.partition = old.partition)
    AND NOT EXISTS (SELECT FROM event_logs AS newer WHERE newer.asset_key = old.asset_key
      AND newer.partition = old.partition AND newer.timestamp >= %(before)s)"""
# A run that ended long ago, and none of whose events is the newest of its asset or partition.
OVER = """SELECT old.run_id FROM runs AS old
  WHERE old.pipeline_name = ANY(%(jobs)s) AND old.status = ANY(%(ended)s) AND old.update_timestamp < %(before)s
    AND NOT EXISTS (SELECT FROM run_tags AS root JOIN run_tags AS other USING (key, value) JOIN runs AS sibling
        ON sibling.run_id = other.run_id
      WHERE root.run_id = old.run_id AND root.key = 'dagster/root_run_id' AND NOT sibling.status = ANY(%(ended)s))
    AND NOT EXISTS (SELECT FROM run_tags AS child JOIN runs AS retry ON retry.run_id = child.run_id
      WHERE child.key = 'dagster/root_run_id' AND child.value = old.run_id AND NOT retry.status = ANY(%(ended)s))
    AND NOT EXISTS (SELECT FROM event_logs AS kept WHERE kept.run_id = old.run_id AND kept.asset_key IS NOT NULL
      AND kept.dagster_event_type IN ('ASSET_MATERIALIZATION_PLANNED', 'ASSET_MATERIALIZATION')
      AND NOT EXISTS (SELECT FROM event_logs AS newer WHERE newer.asset_key = kept.asset_key
        AND newer.dagster_event_type = 'ASSET_MATERIALIZATION'
        AND newer.partition IS NOT DISTINCT FROM kept.partition AND newer.id > kept.id))"""
DELETE_TAGS = "DELETE FROM asset_event_tags WHERE event_id = ANY(%(ids)s)"
DELETE_EVENTS = "DELETE FROM event_logs WHERE id = ANY(%(ids)s)"
BYTES = "SELECT coalesce(sum(pg_column_size(event_logs.*)), 0) FROM event_logs WHERE id = ANY(%(ids)s)"
OF_RUNS = "SELECT count(*), coalesce(sum(pg_column_size(event_logs.*)), 0) FROM event_logs WHERE run_id = ANY(%(runs)s)"
OF_ASSET = """SELECT count(*), coalesce(sum(pg_column_size(event_logs.*)), 0) FROM event_logs
  WHERE asset_key = %(asset)s AND partition IS NOT NULL"""
SIZE = "SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(%(names)s) AS name"
TABLES = ("event_logs", "asset_event_tags", "asset_check_executions")


@dataclass(frozen=True)
class Rows:
    """A number of rows of the event log, and the bytes of their content, without indexes."""

    count: int
    bytes: int


@dataclass(frozen=True)
class EventLog:
    """Dagster's event log, as retention counts it and deletes from it.

    Attributes:
        instance: whose storage is the platform's own.
    """

    instance: dg.DagsterInstance

    def measure(self) -> int:
        """Bytes of the event log's tables with their indexes, and with the room that deleted rows have left."""
        return int(self._ask(SIZE, names=list(TABLES))[0][0] or 0)

    def measure_asset(self, asset: dg.AssetKey) -> Rows:
        """All events of an asset's partitions."""
        ((count, size),) = self._ask(OF_ASSET, asset=asset.to_string())
        return Rows(count, int(size))

    def find_fulfilled(self, asset: dg.AssetKey) -> list[int]:
        """Planned events of partitions that their own run has made; the run has ended."""
        return self._find(FULFILLED, asset)

    def find_overtaken(self, asset: dg.AssetKey, before: datetime) -> list[int]:
        """Events older than a time, of partitions that were made again since."""
        return self._find(OVERTAKEN, asset, before=_to_utc(before))

    def find_departed(self, asset: dg.AssetKey, partitions: str, before: datetime) -> list[int]:
        """Events of partitions that are gone, if all events of the partition are older than a time.

        Args:
            asset: the partitioned asset.
            partitions: name of its dynamic partitions.
            before: with a time zone.
        """
        return self._find(DEPARTED, asset, before=_to_utc(before), partitions=partitions)

    def find_over(self, jobs: Sequence[str], before: datetime) -> list[str]:
        """Runs of these jobs that ended before a time, with all their retries, and that nothing newest belongs to."""
        rows = self._ask(OVER, jobs=list(jobs), ended=list(ENDED), before=_to_utc(before))
        return [str(row[0]) for row in rows]

    def measure_events(self, ids: Sequence[int]) -> Rows:
        """The content of these events."""
        size = sum(int(self._ask(BYTES, ids=part)[0][0]) for part in _divide(ids))
        return Rows(len(ids), size)

    def measure_runs(self, runs: Sequence[str]) -> Rows:
        """The content of all events of these runs."""
        ((count, size),) = self._ask(OF_RUNS, runs=list(runs))
        return Rows(count, int(size))

    def delete_events(self, ids: Sequence[int]) -> None:
        """Deletes events with their tags. The tags go first, because nobody finds them without their event."""
        for part in _divide(ids):
            self._execute(DELETE_TAGS, ids=part)
            self._execute(DELETE_EVENTS, ids=part)

    def delete_runs(self, runs: Sequence[str]) -> None:
        """Deletes runs with all their events."""
        for run in runs:
            self.instance.delete_run(run)

    def _find(self, statement: str, asset: dg.AssetKey, **values: Any) -> list[int]:
        return [int(row[0]) for row in self._ask(statement, asset=asset.to_string(), ended=list(ENDED), **values)]

    def _ask(self, statement: str, **values: Any) -> Sequence[Any]:
        with self._storage.connect() as connection:
            return connection.exec_driver_sql(statement, values).all()

    def _execute(self, statement: str, **values: Any) -> None:
        with self._storage.connect() as connection:
            connection.exec_driver_sql(statement, values)

    @property
    def _storage(self) -> Pooled:
        return cast("Pooled", self.instance.event_log_storage)


def _divide(ids: Sequence[int]) -> Iterator[list[int]]:
    return (list(ids[begin : begin + ROWS]) for begin in range(0, len(ids), ROWS))


def _to_utc(at: datetime) -> datetime:
    """As Dagster stores times: in UTC, without a time zone."""
    return at.astimezone(UTC).replace(tzinfo=None)
