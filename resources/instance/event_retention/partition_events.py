"""Events of an asset's partitions that nothing shows any more: which they are, how many, and their deletion.

Dagster's status of a partition follows from two events: its newest materialization, and its newest planned event if
that is newer. No rule here takes one of these two from a partition that exists, so no status and no data version
changes. Each rule takes the oldest events first, so this holds wherever it is interrupted.

Belongs here: the SQL on `event_logs` and `asset_event_tags`. Does not belong here: whole runs (`old_runs`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from resources.instance.event_retention.connecting import connect_to_events
from resources.instance.event_retention.runs_in_use import find_runs_in_use, find_unfinished_runs

# Rows that one statement deletes. Each is a transaction of its own and takes no turn of those that write events.
STATEMENT_ROWS = 5_000
PLANNED, MADE = "ASSET_MATERIALIZATION_PLANNED", "ASSET_MATERIALIZATION"
LATER = """EXISTS (SELECT FROM event_logs AS later WHERE later.asset_key = log.asset_key
  AND later.dagster_event_type = '{kind}' AND later.partition = log.partition AND later.id > log.id{more})"""
# Dagster's pages of an asset and of a partition show the run of the newest planned event, and warn if it has failed. So
# the newest of the asset stays, and of a partition while an older one is left, whose run did not make the partition.
NEWER = f"""EXISTS (SELECT FROM event_logs AS newer WHERE newer.asset_key = log.asset_key
  AND newer.dagster_event_type = '{PLANNED}' AND newer.id > log.id)"""
OLDER_NOT_MADE = f"""EXISTS (SELECT FROM event_logs AS older WHERE older.asset_key = log.asset_key
  AND older.dagster_event_type = '{PLANNED}' AND older.partition = log.partition AND older.id < log.id
  AND NOT EXISTS (SELECT FROM event_logs AS made WHERE made.asset_key = older.asset_key
    AND made.dagster_event_type = '{MADE}' AND made.partition = older.partition AND made.id > older.id
    AND made.run_id = older.run_id))"""  # noqa: S608 constants only
DONE = f"""(log.dagster_event_type = '{PLANNED}' AND {NEWER}
  AND {LATER.format(kind=MADE, more=" AND later.run_id = log.run_id")}
  AND ({LATER.format(kind=PLANNED, more="")} OR NOT {OLDER_NOT_MADE}))"""
SUPERSEDED = f"""({LATER.format(kind=MADE, more="")}
  OR log.dagster_event_type = '{PLANNED}' AND {LATER.format(kind=PLANNED, more="")})"""
OLD = "log.timestamp < to_timestamp(%(before)s) AT TIME ZONE 'UTC'"
LEFT = f"""NOT EXISTS (SELECT FROM dynamic_partitions AS known
    WHERE known.partitions_def_name = %(partitions)s AND known.partition = log.partition)
  AND NOT EXISTS (SELECT FROM event_logs AS later WHERE later.asset_key = log.asset_key
    AND later.dagster_event_type IN ('{PLANNED}', '{MADE}') AND later.partition = log.partition
    AND NOT later.timestamp < to_timestamp(%(before)s) AT TIME ZONE 'UTC')"""  # noqa: S608 constants only
# An event that was written after the runs were read is above %(last)s: its run may be under way.
OF_ASSET = f"""log.asset_key = %(asset)s AND log.dagster_event_type IN ('{PLANNED}', '{MADE}')
  AND log.partition IS NOT NULL"""
OF_ENDED_RUNS = "log.id <= %(last)s AND log.run_id <> ALL(%(in_use)s::text[])"
# OFFSET 0: the condition is evaluated once for each event, and not once for each of the four figures.
COUNT = """SELECT count(*) FILTER (WHERE goes), coalesce(sum(bytes) FILTER (WHERE goes), 0),
    count(*) FILTER (WHERE NOT goes), coalesce(sum(bytes) FILTER (WHERE NOT goes), 0)
  FROM (SELECT ({condition}) AS goes, pg_column_size(log.event) AS bytes FROM event_logs AS log
    WHERE {of_asset} OFFSET 0) AS counted"""
DELETE = """WITH page AS MATERIALIZED (SELECT log.id FROM event_logs AS log
    WHERE {of_asset} AND log.id > %(after)s AND {condition} ORDER BY log.id LIMIT %(rows)s),
  tags AS (DELETE FROM asset_event_tags USING page WHERE asset_event_tags.event_id = page.id),
  events AS (DELETE FROM event_logs USING page WHERE event_logs.id = page.id)
  SELECT count(*), max(id) FROM page"""


@dataclass(frozen=True)
class PartitionEvents:
    """Planned events and materializations of an asset's partitions that a rule takes.

    Attributes:
        condition: SQL that says which of them go; a row of the event log is `log` there.
        values: of the condition's parameters.
    """

    condition: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class EventCount:
    """How many events of an asset's partitions a rule takes and leaves; bytes are those of their text as it is kept."""

    going: int
    going_bytes: int
    staying: int
    staying_bytes: int


def select_done(instance: dg.DagsterInstance, asset: dg.AssetKey) -> PartitionEvents:
    """Planned events of ended runs that were followed by the materialization which they announced.

    They may go at once, because the materialization says the same. They are half of all events. The newest of the asset
    stays, and the newest of a partition stays as long as an older one would be shown in its place.
    """
    values = {"asset": asset.to_string(), "last": read_last_event(instance), "in_use": find_unfinished_runs(instance)}
    return PartitionEvents(f"{OF_ENDED_RUNS} AND {DONE}", values)


def select_superseded(instance: dg.DagsterInstance, asset: dg.AssetKey, before: float, now: float) -> PartitionEvents:
    """Events older than a limit that a newer event of the same partition made meaningless; not those of `select_done`.

    Events of runs that may still be retried stay, because their retry looks for them.

    Args:
        instance: where the events are.
        asset: a partitioned asset.
        before: the limit, in Unix seconds.
        now: Unix seconds.
    """
    values: dict[str, Any] = {"asset": asset.to_string(), "before": before}
    values |= {"last": read_last_event(instance), "in_use": find_runs_in_use(instance, now)}
    return PartitionEvents(f"{OF_ENDED_RUNS} AND {OLD} AND {SUPERSEDED} AND NOT {DONE}", values)


def select_left(
    instance: dg.DagsterInstance, asset: dg.AssetKey, partitions: str, before: float, now: float
) -> PartitionEvents:
    """The last events of partitions that do not exist any more, and of which nothing happened since a limit.

    Delete what `select_superseded` finds first.

    Args:
        instance: where the events are.
        asset: a partitioned asset.
        partitions: name of its dynamic partitions.
        before: the limit, in Unix seconds.
        now: Unix seconds.
    """
    values: dict[str, Any] = {"asset": asset.to_string(), "partitions": partitions, "before": before}
    values |= {"last": read_last_event(instance), "in_use": find_runs_in_use(instance, now)}
    return PartitionEvents(f"{OF_ENDED_RUNS} AND {LEFT} AND NOT {SUPERSEDED}", values)


def count_events(instance: dg.DagsterInstance, chosen: PartitionEvents) -> EventCount:
    """Counts what a rule takes, and what it leaves of the same asset's partitions."""
    with connect_to_events(instance) as connection:
        statement = COUNT.format(condition=chosen.condition, of_asset=OF_ASSET)
        return EventCount(*map(int, connection.exec_driver_sql(statement, dict(chosen.values)).one()))


def delete_events(instance: dg.DagsterInstance, chosen: PartitionEvents, rows: int = STATEMENT_ROWS) -> int:
    """Deletes what a rule takes, the oldest first, and returns how many events that were.

    Args:
        instance: where the events are.
        chosen: which go.
        rows: how many one transaction deletes.
    """
    statement, deleted, after = DELETE.format(condition=chosen.condition, of_asset=OF_ASSET), 0, 0
    while True:
        with connect_to_events(instance) as connection:
            values = {**chosen.values, "after": after, "rows": rows}
            count, last = connection.exec_driver_sql(statement, values).one()
        deleted += count
        if count < rows:
            return deleted
        after = last


def read_last_event(instance: dg.DagsterInstance) -> int:
    """The greatest id of an event; 0 if there is none."""
    with connect_to_events(instance) as connection:
        return int(connection.exec_driver_sql("SELECT coalesce(max(id), 0) FROM event_logs").scalar_one())
