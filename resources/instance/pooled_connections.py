"""Connections to Dagster's database: one pool for a process, and a database that is away is waited for.

Belongs here: what the three storages have in common, and where their connections come from. Does not belong here: what
they store (`storage`, `event_log_storage`). The reasons are in docs/decisions/database/0009-pooled-storage.md.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from dagster_postgres.utils import create_pg_engine

from resources.libpq import close_gaps, set_session

if TYPE_CHECKING:
    from dagster_postgres.auth import PgTokenProvider
    from sqlalchemy import Connection, Engine

log = logging.getLogger(__name__)
# Each statement is a transaction of its own, and begins as the session says.
WRITABLE = {
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
}
Connect = Callable[[], AbstractContextManager["Connection"]]


class Pooled:
    """What the three storages have in common: where their connections come from."""

    def __init__(self, engine: "Engine", connect: Connect, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._engine, self._waiting = engine, connect

    def connect(self, run_id: str | None = None) -> AbstractContextManager["Connection"]:
        return self._waiting()

    def _connect(self) -> AbstractContextManager["Connection"]:
        return self._waiting()

    def optimize_for_webserver(self, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:
        """Ends what takes too long: a webserver's questions may be arbitrarily heavy. The pool is there already."""
        from sqlalchemy import event

        def limit(connection: Any, _: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SET statement_timeout = %s", (statement_timeout,))

        self._engine.dispose()
        event.listen(self._engine, "connect", limit)


@cache
def pooled_engine(url: str, pool_size: int, token_provider: "PgTokenProvider | None", process: int) -> "Engine":
    """The pool of this process: a code server opens an instance for every tick, and they all share it.

    The connection used last is used first, so that as few stay open as are needed at once. One that died with its
    server is found out by a ping before it is used. Dagster stores times as the session prints them, without a zone, so
    the session's settings are known ones.
    """
    from sqlalchemy import event

    engine = create_pg_engine(
        url,
        token_provider,
        isolation_level="AUTOCOMMIT",
        pool_size=pool_size,
        max_overflow=20,
        pool_pre_ping=True,
        pool_use_lifo=True,
        connect_args=close_gaps(url, "the URL of Dagster's storage"),
    )
    # First of all: SQLAlchemy asks each connection something itself.
    event.listen(engine, "connect", _set_session, insert=True)
    return engine


@contextmanager
def known_sessions() -> Iterator[None]:
    """Gives sessions their known settings also where Dagster connects by itself, as it does to make its tables."""
    from psycopg2.extensions import connection as psycopg2_connection
    from sqlalchemy import Engine, event

    def set_if_postgres(connection: Any, record: Any) -> None:
        # For a moment this holds for every engine of the process, and another thread may open one of SQLite.
        if isinstance(connection, psycopg2_connection):
            _set_session(connection, record)

    event.listen(Engine, "connect", set_if_postgres, insert=True)
    try:
        yield
    finally:
        event.remove(Engine, "connect", set_if_postgres)


def _set_session(connection: Any, _: Any) -> None:
    connection.autocommit = True
    with connection.cursor() as cursor:
        set_session(cursor, WRITABLE, is_local=False)
    connection.autocommit = False


def wait_for_connection(engine: "Engine", patience_seconds: float) -> "Connection":
    """A connection that works now.

    Raises:
        sqlalchemy.exc.OperationalError: there is none, all patience long: what PostgreSQL said last.
    """
    import tenacity
    from sqlalchemy.exc import OperationalError

    patiently = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(OperationalError),
        stop=tenacity.stop_after_delay(patience_seconds),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=5),
        before_sleep=tenacity.before_sleep_log(log, logging.WARNING),
        reraise=True,
    )
    return patiently(engine.connect)


def is_broken(error: BaseException) -> bool:
    """Whether a statement failed because its connection broke while it was under way."""
    from sqlalchemy.exc import DBAPIError

    return isinstance(error, DBAPIError) and error.connection_invalidated
