"""How large the event log is.

Belongs here: its size in PostgreSQL. Does not belong here: how it is kept small (`partition_events`, `old_runs`).
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
