"""Dagster's own storage: stock PostgreSQL tables, over connections that are kept and waited for.

Stock opens a connection for every event, about 200 a run, and gives PostgreSQL up after 11.5 s, with the run whose
event it was. Here a process has one pool for runs, events and schedules, and a database that is away is waited for, so
that its restart costs no work (docs/decisions/database/0009-pooled-storage.md).
"""

import logging
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import dagster as dg
from dagster_postgres import (
    DagsterPostgresStorage,
    PostgresEventLogStorage,
    PostgresRunStorage,
    PostgresScheduleStorage,
)
from dagster_postgres.utils import create_pg_engine, get_token_provider_from_config, pg_config, pg_url_from_config

from resources.supervision.fence import ONE_RETRY

if TYPE_CHECKING:
    from dagster_postgres.auth import PgTokenProvider
    from sqlalchemy import Connection, Engine

log = logging.getLogger(__name__)
Connect = Callable[[], AbstractContextManager["Connection"]]
# The ends of a run that may leave a step without an end.
UNFINISHED_ENDS = (dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_CANCELED)


class PooledPostgresStorage(DagsterPostgresStorage):
    """For `storage: custom` in dagster.yaml; its config is that of `storage: postgres` and two settings more.

    Args:
        pool_size: connections that a process keeps open at most; it opens them as it needs them, and more, for a
            moment, if that many threads ask at once.
        patience_seconds: how long PostgreSQL is waited for before the operation fails.
    """

    def __init__(
        self,
        postgres_url: str,
        should_autocreate_tables: bool = True,
        inst_data: Any = None,
        token_provider: "PgTokenProvider | None" = None,
        pool_size: int = 5,
        patience_seconds: int = 240,
    ) -> None:
        engine = pooled_engine(postgres_url, pool_size, token_provider, os.getpid())

        def connect() -> AbstractContextManager["Connection"]:
            return wait_for_connection(engine, patience_seconds)

        if should_autocreate_tables and not is_prepared(connect):
            DagsterPostgresStorage(postgres_url, token_provider=token_provider)
            with connect() as connection:
                connection.exec_driver_sql(ONE_RETRY)
        super().__init__(postgres_url, False, inst_data, token_provider)
        self._run_storage = RunStorage(engine, connect, postgres_url, False, token_provider=token_provider)
        self._event_log_storage = EventLogStorage(engine, connect, postgres_url, False, token_provider=token_provider)
        self._event_log_storage.runs = self._run_storage
        self._schedule_storage = ScheduleStorage(engine, connect, postgres_url, False, token_provider=token_provider)

    @classmethod
    def config_type(cls) -> Any:
        return {
            **cast("dict[str, Any]", pg_config()),
            "pool_size": dg.Field(int, default_value=5),
            "patience_seconds": dg.Field(int, default_value=240),
        }

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> "PooledPostgresStorage":
        return cls(
            postgres_url=pg_url_from_config(config_value),
            should_autocreate_tables=config_value.get("should_autocreate_tables", True),
            inst_data=inst_data,
            token_provider=get_token_provider_from_config(config_value),
            pool_size=config_value["pool_size"],
            patience_seconds=config_value["patience_seconds"],
        )


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


class RunStorage(Pooled, PostgresRunStorage):
    """Runs and heartbeats."""


class EventLogStorage(Pooled, PostgresEventLogStorage):
    """Events, asset keys and the places in pools (concurrency slots).

    A run has failed before its failure can be read. Stock writes the event first, and the daemon, which reads it once,
    passes over a run that still looks as if it went on: its retry never came, or half a minute later by `lost_retries`.

    A run that failed or was canceled has no place in a pool any more, whoever reports its end. With stock, a place
    whose worker could not give it back is free only after `free_slots_after_run_end_seconds`; the retry waits for it.
    """

    runs: RunStorage

    def store_event(self, event: dg.EventLogEntry) -> None:
        stored = event.dagster_event
        if stored and stored.is_run_failure:
            self.runs.handle_run_event(event.run_id, stored, datetime.fromtimestamp(event.timestamp, UTC))
        super().store_event(event)
        if stored and stored.event_type in UNFINISHED_ENDS:  # not before: a worker without a lease may not end its run
            self._free_places(event.run_id)

    def _free_places(self, run_id: str) -> None:
        """An error here must not become one of the run, whose end is written. Dagster's monitor frees them later."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            self.free_concurrency_slots_for_run(run_id)
        except SQLAlchemyError as error:
            log.warning("run %s keeps its places in pools for a while: %s", run_id, type(error).__name__)


class ScheduleStorage(Pooled, PostgresScheduleStorage):
    """Ticks of schedules and sensors."""


@cache
def pooled_engine(url: str, pool_size: int, token_provider: "PgTokenProvider | None", process: int) -> "Engine":
    """The pool of this process: a code server opens an instance for every tick, and they all share it.

    The connection used last is used first, so that as few stay open as are needed at once. One that died with its
    server is found out by a ping before it is used.
    """
    return create_pg_engine(
        url,
        token_provider,
        isolation_level="AUTOCOMMIT",
        pool_size=pool_size,
        max_overflow=20,
        pool_pre_ping=True,
        pool_use_lifo=True,
    )


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


def is_prepared(connect: Connect) -> bool:
    """Whether stock Dagster has made the tables of its three storages here, and a run can be retried only once."""
    there = "SELECT bool_and(to_regclass(name) IS NOT NULL) FROM unnest(%(names)s) AS name"
    with connect() as connection:
        names = ["runs", "event_logs", "jobs", "instance_info", "one_retry"]
        return bool(connection.exec_driver_sql(there, {"names": names}).scalar())
