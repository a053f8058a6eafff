"""The connection by which retention reads and deletes events, and what PostgreSQL has to know before.

Belongs here: that it is one of our storage. Does not belong here: what is done with it.
"""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import dagster as dg

from resources.errors import PlatformError
from resources.instance.event_log_storage import EventLogStorage

if TYPE_CHECKING:
    from sqlalchemy import Connection


class OtherStorage(PlatformError):
    """The instance keeps its events elsewhere: names the storage that dagster.yaml should have."""


def connect_to_events(instance: dg.DagsterInstance) -> "AbstractContextManager[Connection]":
    """A connection of which each statement is a transaction of its own.

    Raises:
        OtherStorage: the instance does not use the platform's storage.
    """
    storage = instance.event_log_storage
    if not isinstance(storage, EventLogStorage):
        raise OtherStorage(
            f"events are kept by {type(storage).__name__}: expected the storage PooledPostgresStorage on PostgreSQL. "
            "Name it in dagster.yaml, as local/dagster.yaml does"
        )
    return storage.index_connection()


def refresh_statistics(instance: dg.DagsterInstance) -> None:
    """Lets PostgreSQL count the events anew, as its autovacuum does later.

    A search with the counts of before the first large wave takes minutes instead of a second, because PostgreSQL then
    compares each event with all others. A role that does not own the table gets a warning of PostgreSQL, and no error.

    Raises:
        OtherStorage: the instance does not use the platform's storage.
    """
    with connect_to_events(instance) as connection:
        connection.exec_driver_sql("ANALYZE event_logs")
