"""Fixtures of the tests of columns: a database of each test's own, and what is stored of one table in it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from psycopg2.extensions import cursor

from credit_assets.loans.extraction import extract_loans
from credit_assets.settings.file import Settings

AS_OF = datetime(2026, 7, 1, 12, tzinfo=UTC)
# What stands in a refusal before the statements of its view.
NAMED = "then names the view: "


def declare(features: dict[str, Any], **table: str) -> Settings:
    """Settings for a table `loans` with these features."""
    return Settings.model_validate(
        {"table": {"name": "loans", **table}, "target": {"column": "default_status"}, "features": features}
    )


@pytest.fixture
def database(database_url: str) -> Iterator[cursor]:
    """A cursor whose session reads times in UTC, like that of the platform."""
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
        yield cursor


Store = Callable[..., tuple[pa.Table, dict[str, Any]]]


@pytest.fixture
def store(database: cursor, tmp_path: Path) -> Store:
    """Extracts the loans: the stored table, and the facts about it."""

    def extract(settings: Settings, as_of: datetime = AS_OF) -> tuple[pa.Table, dict[str, Any]]:
        facts = extract_loans(database, settings, as_of, tmp_path / "loans.parquet")
        return pq.read_table(tmp_path / "loans.parquet"), facts

    return extract
