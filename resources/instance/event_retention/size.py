"""How large the event log is, and how large PostgreSQL believes it to be.

Belongs here: its size in PostgreSQL, and the statistics that searches follow. Does not belong here: how it is kept
small (`partition_events`, `old_runs`).
"""

import dagster as dg

from resources.instance.event_retention.connecting import connect_to_events

MEASURE = """SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(%(tables)s) AS name"""
TABLES = ("event_logs", "asset_event_tags", "asset_check_executions")


def measure_event_log(instance: dg.DagsterInstance) -> int:
    """Bytes of the tables of events, of their tags and of checks, with indexes and the room of deleted rows.

    PostgreSQL fills that room with new rows after a vacuum, which it does by itself. It does not give it back.
    """
    with connect_to_events(instance) as connection:
        return int(connection.exec_driver_sql(MEASURE, {"tables": list(TABLES)}).scalar_one())


def refresh_statistics(instance: dg.DagsterInstance) -> None:
    """Lets PostgreSQL count the events anew, as its autovacuum does later.

    A search with the counts of before the first large wave takes minutes instead of a second, because PostgreSQL then
    compares each event with all others. A role that does not own the table gets a warning of PostgreSQL, and no error.

    Raises:
        OtherStorage: the instance does not use the platform's storage.
    """
    with connect_to_events(instance) as connection:
        connection.exec_driver_sql("ANALYZE event_logs")
