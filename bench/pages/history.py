"""A month of waves: a real one, and a copy of its run and of all its events for each later wave.

The copies have their own run ids, times and event ids, in the order of time, so that Dagster reads them as waves that
ran. A row is copied by PostgreSQL, because to score and to record as much would take hours.

Belongs here: the rows of Dagster's tables. Does not belong here: how the real wave is made (`bench.waves`).
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.timing.children import show_progress

if TYPE_CHECKING:
    from psycopg2.extensions import cursor

WAVES_A_DAY, HOURS_BETWEEN = 8, 3
GROWING = ("event_logs", "asset_event_tags")
# The texts of a row in which the id of the run and the time are written.
TIME = '"timestamp": [0-9.]+'
MOVE = f"""UPDATE event_logs SET timestamp = timestamp + %(shift)s * interval '1 second', event = regexp_replace(
    event, '{TIME}', '"timestamp": ' || extract(epoch FROM timestamp AT TIME ZONE 'UTC') + %(shift)s, 'g')
  WHERE run_id = %(old)s"""
MOVE_OTHERS = (
    """UPDATE runs SET start_time = start_time + %(shift)s, end_time = end_time + %(shift)s,
    create_timestamp = create_timestamp + %(shift)s * interval '1 second',
    update_timestamp = update_timestamp + %(shift)s * interval '1 second' WHERE run_id = %(old)s""",
    """UPDATE asset_event_tags SET event_timestamp = event_timestamp + %(shift)s * interval '1 second'
    WHERE event_id IN (SELECT id FROM event_logs WHERE run_id = %(old)s)""",
    """UPDATE asset_check_executions SET create_timestamp = create_timestamp + %(shift)s * interval '1 second',
    evaluation_event_timestamp = evaluation_event_timestamp + %(shift)s * interval '1 second' WHERE run_id = %(old)s""",
)
# What is copied, read once: a search in tables that grow takes longer with each wave. AT marks where a time belongs, so
# that no copy needs a regular expression. It is no JSON, so that no event has it.
AT = '"timestamp": at'
TEMPLATES = (
    f"""CREATE TEMPORARY TABLE wave_events AS SELECT id, regexp_replace(event, '{TIME}', '{AT}', 'g') AS event,
    dagster_event_type, timestamp, extract(epoch FROM timestamp AT TIME ZONE 'UTC') AS at, step_key, asset_key,
    partition FROM event_logs WHERE run_id = %(old)s ORDER BY id""",
    """CREATE TEMPORARY TABLE wave_tags AS SELECT * FROM asset_event_tags
  WHERE event_id IN (SELECT id FROM event_logs WHERE run_id = %(old)s) ORDER BY id""",
)
COPY = (
    """INSERT INTO runs (run_id, snapshot_id, pipeline_name, mode, status, run_body, partition, partition_set,
    create_timestamp, update_timestamp, start_time, end_time, backfill_id)
  SELECT %(new)s, snapshot_id, pipeline_name, mode, status, replace(run_body, %(old)s, %(new)s), partition,
    partition_set, create_timestamp + %(shift)s * interval '1 second',
    update_timestamp + %(shift)s * interval '1 second', start_time + %(shift)s, end_time + %(shift)s, backfill_id
  FROM runs WHERE run_id = %(old)s""",
    """INSERT INTO run_tags (run_id, key, value)
  SELECT %(new)s, key, replace(value, %(old)s, %(new)s) FROM run_tags WHERE run_id = %(old)s""",
    f"""INSERT INTO event_logs (id, run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition)
  SELECT id + %(span)s, %(new)s, replace(replace(event, %(old)s, %(new)s), '{AT}', '"timestamp": ' || at + %(shift)s),
    dagster_event_type, timestamp + %(shift)s * interval '1 second', step_key, asset_key, partition FROM wave_events""",
    """INSERT INTO asset_event_tags (event_id, asset_key, key, value, event_timestamp)
  SELECT event_id + %(span)s, asset_key, key, value, event_timestamp + %(shift)s * interval '1 second'
  FROM wave_tags""",
    """INSERT INTO asset_check_executions (asset_key, check_name, partition, run_id, execution_status, evaluation_event,
    evaluation_event_timestamp, evaluation_event_storage_id, materialization_event_storage_id, create_timestamp)
  SELECT asset_key, check_name, partition, %(new)s, execution_status, replace(evaluation_event, %(old)s, %(new)s),
    evaluation_event_timestamp + %(shift)s * interval '1 second', evaluation_event_storage_id + %(span)s,
    materialization_event_storage_id + %(span)s, create_timestamp + %(shift)s * interval '1 second'
  FROM asset_check_executions WHERE run_id = %(old)s""",
)
# What Dagster keeps of an asset's latest event. What it keeps of the partitions' status is computed again, when asked.
LATEST = """UPDATE asset_keys SET last_run_id = latest.run_id, last_materialization_timestamp = latest.timestamp,
    last_materialization = jsonb_build_object('__class__', 'EventLogRecord', 'event_log_entry', latest.event::jsonb,
      'storage_id', latest.id)::text, cached_status_data = NULL
  FROM (SELECT DISTINCT ON (asset_key) * FROM event_logs WHERE run_id = %(new)s
    AND dagster_event_type = 'ASSET_MATERIALIZATION' ORDER BY asset_key, id DESC) AS latest
  WHERE asset_keys.asset_key = latest.asset_key"""


def repeat_wave(url: str, wave: str, waves: int) -> str:
    """Makes a real wave the first of so many, one every three hours until now. Returns the run id of the last.

    Args:
        url: of Dagster's database, which nothing else uses meanwhile.
        wave: run id of the real wave, which has ended.
        waves: how many there are to be, the real one included.
    """
    import psycopg2

    last = wave
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        first = {"old": wave, "shift": -3600.0 * HOURS_BETWEEN * (waves - 1)}
        for statement in (MOVE, *MOVE_OTHERS, *TEMPLATES):
            cursor.execute(statement, first)
        cursor.execute("SELECT max(id) FROM event_logs")
        (span,) = cursor.fetchone() or (0,)
        with rebuild_indexes(cursor):
            for number in range(1, waves):
                show_progress(f"wave {number + 1} of {waves}")
                last = str(uuid.uuid4())
                values = {"old": wave, "new": last, "shift": 3600.0 * HOURS_BETWEEN * number, "span": span * number}
                for statement in COPY:
                    cursor.execute(statement, values)
        cursor.execute(LATEST, {"new": last})
        cursor.execute("SELECT setval(pg_get_serial_sequence('event_logs', 'id'), max(id)) FROM event_logs")
    connection.close()
    _vacuum(url)
    show_progress("")
    return last


@contextmanager
def rebuild_indexes(cursor: "cursor") -> Iterator[None]:
    """Drops the indexes of the tables that grow most, but for their keys, and makes the same again at the end."""
    cursor.execute("SET maintenance_work_mem = '1GB'")
    for table in GROWING:
        cursor.execute(f"ALTER TABLE {table} SET UNLOGGED")
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY(%s) "
        "AND indexname NOT IN (SELECT conname FROM pg_constraint)",
        [list(GROWING)],
    )
    indexes = cursor.fetchall()
    for name, _ in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    for name, statement in indexes:
        show_progress(f"index {name}")
        cursor.execute(statement)


def _vacuum(url: str) -> None:
    """What autovacuum does on a database that grows slowly: statistics, and which pages all can see."""
    import psycopg2

    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        show_progress("vacuum")
        cursor.execute("VACUUM ANALYZE")
    connection.close()
