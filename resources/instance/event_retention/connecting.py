"""The connection by which retention reads and deletes events.

Belongs here: that it is one of our storage. Does not belong here: what is done with it.
"""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import dagster as dg

from resources.errors import PlatformError

if TYPE_CHECKING:
    from sqlalchemy import Connection


class OtherStorage(PlatformError):
    """The instance keeps its events elsewhere: names the storage that dagster.yaml should have."""


def connect_to_events(instance: dg.DagsterInstance) -> "AbstractContextManager[Connection]":
    """A connection of which each statement is a transaction of its own.

    Raises:
        OtherStorage: the instance does not use the platform's storage.
    """
    # Whoever loads the definitions comes by here. The storage brings SQLAlchemy and Alembic, and an instance has it.
    from resources.instance.event_log_storage import EventLogStorage

    storage = instance.event_log_storage
    if not isinstance(storage, EventLogStorage):
        raise OtherStorage(
            f"events are kept by {type(storage).__name__}: expected the storage PooledPostgresStorage on PostgreSQL. "
            "Name it in dagster.yaml, as local/dagster.yaml does"
        )
    return storage.index_connection()
