"""What the tests of Dagster's storage share."""

import uuid
from collections.abc import Iterator
from functools import partial

import dagster as dg
import psycopg2
import pytest
from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool

from resources.machine.embedded_postgres import EmbeddedPostgres
from tests.support.instances import POOLED, STOCK, open_instance

TABLES = "event_logs, asset_keys, asset_event_tags, asset_check_executions"


@pytest.fixture
def opened(tmp_path, database_url):
    """Opens an instance on a database of its own, as dagster.yaml with that storage configures it."""
    return partial(open_instance, tmp_path, database_url)


@pytest.fixture
def connections():
    """Every connection that SQLAlchemy opens while the test runs, whoever asks for it."""
    made = []

    def count(connection, _record) -> None:
        made.append(connection)

    event.listen(Pool, "connect", count)
    yield made
    event.remove(Pool, "connect", count)


@pytest.fixture
def statements():
    """The text of every statement that SQLAlchemy runs while the test runs, whoever asks for it."""
    made = []

    def note(_connection, _cursor, statement, *_) -> None:
        made.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield made
    event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture(scope="module")
def both(postgres: EmbeddedPostgres, tmp_path_factory) -> Iterator[dict[str, tuple[dg.DagsterInstance, str]]]:
    """Our storage and Dagster's own, each an instance on a database of its own, with the database's URL."""
    opened = {}
    for name, storage in (("ours", POOLED), ("stock", STOCK)):
        url = postgres.create_database(f"{name}_{uuid.uuid4().hex}")
        opened[name] = open_instance(tmp_path_factory.mktemp(name), url, storage), url
    yield opened
    for instance, _ in opened.values():
        instance.dispose()


@pytest.fixture
def emptied(both) -> dict[str, tuple[dg.DagsterInstance, str]]:
    """Both, without events; the next event has the same id in both."""
    for _, url in both.values():
        connection = psycopg2.connect(url)
        with connection, connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {TABLES} RESTART IDENTITY")
        connection.close()
    return both


@pytest.fixture
def ours(emptied) -> dg.DagsterInstance:
    """An instance on our storage, without events."""
    return emptied["ours"][0]
