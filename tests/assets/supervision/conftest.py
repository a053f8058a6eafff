"""A database with the tables of Dagster, and the table of leases as a test reads and changes it."""

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2 import sql

from resources.machine.embedded_postgres import EmbeddedPostgres
from tests.support.instances import STOCK, open_instance


@dataclass(frozen=True)
class Row:
    """One lease as it stands in the table; `remaining` is in seconds."""

    holder: str
    fence: int
    remaining: float


@dataclass(frozen=True)
class Database:
    """A database as its superuser sees it, who is no worker."""

    dsn: str

    def execute(self, statement: str, *values: Any, name: str = "a test") -> list[tuple[Any, ...]]:
        """Runs SQL on a connection with this name."""
        with closing(psycopg2.connect(self.dsn, application_name=name)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def leases(self) -> dict[str, Row]:
        found = self.execute("SELECT name, holder, fence, extract(epoch FROM deadline - clock_timestamp()) FROM leases")
        return {name: Row(holder, fence, float(remaining)) for name, holder, fence, remaining in found}

    def age(self, name: str, seconds: float) -> None:
        """Moves the deadline of a lease back, as if so much time had passed."""
        self.execute("UPDATE leases SET deadline = deadline - %s * interval '1 s' WHERE name = %s", seconds, name)


@pytest.fixture(scope="session")
def dagster_template(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The name of a database with Dagster's tables, which take a second to make."""
    name = f"template_{uuid.uuid4().hex}"
    with (
        tempfile.TemporaryDirectory() as home,
        open_instance(Path(home), postgres.create_database(name), STOCK) as instance,
    ):
        instance.get_runs_count()
        instance.all_asset_keys()
    yield name
    drop(postgres, name)


@pytest.fixture
def database(database_url: str) -> Database:
    """An empty database."""
    return Database(database_url)


@pytest.fixture
def storage(postgres: EmbeddedPostgres, dagster_template: str) -> Iterator[str]:
    """The URL of a database with the tables of Dagster's storage."""
    name = f"test_{uuid.uuid4().hex}"
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(dagster_template))
    administer(postgres, statement)
    yield postgres.create_database(name)
    drop(postgres, name)


@pytest.fixture
def dagster_database(storage: str) -> Database:
    return Database(storage)


def drop(postgres: EmbeddedPostgres, name: str) -> None:
    administer(postgres, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def administer(postgres: EmbeddedPostgres, statement: sql.Composable) -> None:
    with closing(psycopg2.connect(postgres.create_database("postgres"))) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(statement)
