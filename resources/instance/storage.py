"""Dagster's own storage: stock PostgreSQL tables, over connections that are kept and waited for.

Stock opens a connection for every event, about 200 a run, and gives PostgreSQL up after 11.5 s, with the run whose
event it was. Here a process has one pool for runs, events and schedules, and a database that is away is waited for, so
that its restart costs no work (docs/decisions/database/0009-pooled-storage.md).

Belongs here: the class that `dagster.yaml` names, and what it is made of. Does not belong here: connections
(`pooled_connections`), and how events are written (`event_log_storage`).
"""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, cast

import dagster as dg
from dagster_postgres import DagsterPostgresStorage, PostgresRunStorage, PostgresScheduleStorage
from dagster_postgres.utils import get_token_provider_from_config, pg_config, pg_url_from_config

from resources.environment import set_default
from resources.history.run_groups import PAGE
from resources.instance.event_log_storage import EventLogStorage
from resources.instance.pooled_connections import Connect, Pooled, known_sessions, pooled_engine, wait_for_connection
from resources.supervision.fence import ONE_RETRY

if TYPE_CHECKING:
    from dagster_postgres.auth import PgTokenProvider
    from sqlalchemy import Connection

# Dagster's own variable: how many events of one batch it collects before it writes them. 0: it writes each by itself.
BATCH_SIZE = "DAGSTER_EVENT_BATCH_SIZE"


class PooledPostgresStorage(DagsterPostgresStorage):
    """For `storage: custom` in dagster.yaml; its config is that of `storage: postgres` and two settings more.

    A process that opens it gives Dagster events in batches: every process that creates a run opens it before
    (docs/decisions/code/0018-events-of-many-partitions-in-pages.md).

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
        set_default(BATCH_SIZE, str(PAGE))
        engine = pooled_engine(postgres_url, pool_size, token_provider, os.getpid())

        def connect() -> AbstractContextManager["Connection"]:
            return wait_for_connection(engine, patience_seconds)

        if should_autocreate_tables and not is_prepared(connect):
            with known_sessions():
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


class RunStorage(Pooled, PostgresRunStorage):
    """Runs and heartbeats."""


class ScheduleStorage(Pooled, PostgresScheduleStorage):
    """Ticks of schedules and sensors."""


def is_prepared(connect: Connect) -> bool:
    """Whether stock Dagster has made the tables of its three storages here, and a run can be retried only once."""
    there = "SELECT bool_and(to_regclass(name) IS NOT NULL) FROM unnest(%(names)s) AS name"
    with connect() as connection:
        names = ["runs", "event_logs", "jobs", "instance_info", "one_retry"]
        return bool(connection.exec_driver_sql(there, {"names": names}).scalar())
