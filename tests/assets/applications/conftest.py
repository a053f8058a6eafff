"""Fixtures of the tests of locations, applications and scores: one database of each test's own."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from credit_assets.applications.seed import create_tables_sql
from credit_assets.settings.file import Settings
from resources.machine.embedded_postgres import EmbeddedPostgres
from resources.services.database import Database

DECLARED = Settings.model_validate(
    {
        "table": {"name": "loans"},
        "target": {"column": "default_status"},
        "features": {
            "income": {"type": "number", "minimum": 0},
            "score": {"type": "integer"},
            "purpose": {"type": "category"},
        },
        "scoring": {
            "locations": "branches",
            "applications": "requests",
            "scores": "scores",
            "location": "branch",
            "id": "number",
            "decided_at": "decided",
        },
    }
)


@pytest.fixture
def declared() -> Settings:
    return DECLARED


@pytest.fixture
def database(database_url: str) -> Database:
    """A database with the two tables, empty."""
    database = Database(url=database_url, setting="PLATFORM_SCORES_URL")
    with database.open_transaction() as cursor:
        for statement in create_tables_sql(DECLARED):
            cursor.execute(statement)
    return database


Add = Callable[..., None]


@pytest.fixture
def add(database: Database) -> Add:
    """Adds locations, each with its open applications by their numbers."""

    def add_rows(**applications: Any) -> None:
        with database.open_transaction() as cursor:
            for location, numbers in applications.items():
                cursor.execute("INSERT INTO branches VALUES (%s, 's', now()) ON CONFLICT DO NOTHING", (location,))
                for number in numbers:
                    cursor.execute("INSERT INTO requests VALUES (%s, %s, 1.5, 2, 'car')", (number, location))

    return add_rows


@pytest.fixture
def as_reader(postgres: EmbeddedPostgres, database: Database) -> Iterator[Database]:
    """The same database for a role that may read both tables, and nothing else."""
    with closing(psycopg2.connect(database.url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("CREATE ROLE reader LOGIN")
        cursor.execute("GRANT SELECT ON branches, requests TO reader")
        yield Database(url=database.url.replace("postgres@", "reader@"))
        cursor.execute("DROP OWNED BY reader")
        cursor.execute("DROP ROLE reader")
