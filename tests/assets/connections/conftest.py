"""Fixtures of the tests on who looks: a database with loans and applications, and a role that may read both."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from credit_assets.applications.reading import read_applications
from credit_assets.loans.extraction import extract_loans
from credit_assets.settings.file import Settings
from resources.machine.embedded_postgres import EmbeddedPostgres
from resources.services.database import Database

NAMES = [r"north\east", "o'hara", "Zürich"]
DECLARED = Settings.model_validate(
    {
        "table": {"name": "loans"},
        "target": {"column": "defaulted", "negative": "f", "positive": "t"},
        "features": {"income": {"type": "number"}, "words": {"type": "category"}, "purpose": {"type": "category"}},
        "scoring": {"locations": "branches", "applications": "requests", "scores": "scores", "decided_at": "decided"},
    }
)
# `loans` cuts a text into words by the session's language.
TABLES = """
CREATE TABLE rows (id integer PRIMARY KEY, location text, created_at timestamptz, decided timestamptz,
    defaulted boolean, income double precision, purpose text);
INSERT INTO rows SELECT g, (ARRAY[E'north\\\\east', 'o''hara', 'Zürich'])[1 + g % 3],
    timestamptz '2026-01-31 23:30:00.123456+00' + g * interval '1 hour', NULL, g % 2 = 0,
    g / 3.0::float8, 'Häuser – ' || g
FROM generate_series(1, 12) AS g;
CREATE VIEW loans AS SELECT rows.*, to_tsvector(purpose)::text AS words FROM rows;
CREATE VIEW requests AS SELECT * FROM loans;
CREATE TABLE branches AS SELECT DISTINCT location FROM rows;
"""


@dataclass(frozen=True)
class Lending:
    """A database with loans and applications.

    Attributes:
        owner: its URL for a superuser.
        reader: its URL for the role `reader`.
        folder: for files.
    """

    owner: str
    reader: str
    folder: Path

    @property
    def name(self) -> str:
        return self.owner.rpartition("/")[0].rpartition("@/")[2].partition("?")[0]

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Runs SQL as the superuser, committed by itself."""
        with closing(psycopg2.connect(self.owner)) as connection, connection.cursor() as cursor:
            connection.set_session(autocommit=True, readonly=False)
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def read(self, url: str = "", declared: Settings = DECLARED) -> tuple[str, str]:
        """The content digest of the loans, and that of the applications, as the reader reads them."""
        path = self.folder / "loans.parquet"
        with Database(url=url or self.reader).open_snapshot() as cursor:
            facts = extract_loans(cursor, declared, datetime(2026, 3, 1, tzinfo=UTC), path)
            rows = read_applications(cursor, declared, NAMES)
        return facts["content_sha256"], hashlib.sha256(repr(rows.to_pylist()).encode()).hexdigest()


@pytest.fixture
def lending(postgres: EmbeddedPostgres, database_url: str, tmp_path: Path) -> Iterator[Lending]:
    """A database of one test's own, whose role `reader` may read everything."""
    lending = Lending(database_url, database_url.replace("postgres@", "reader@"), tmp_path)
    lending.execute(TABLES)
    lending.execute("CREATE ROLE reader LOGIN")
    lending.execute("GRANT pg_read_all_data TO reader")
    yield lending
    lending.execute("DROP OWNED BY reader")
    lending.execute("DROP ROLE reader")
