"""The table is somebody else's: it changes without notice, and what is read from it must still be what it says.

Without these a column that changed its type is learned from as something else, and a mistyped address of the database
shows its password.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow.parquet as pq
import pytest
from psycopg2.extensions import cursor

from credit_assets.loans.extraction import extract_loans
from credit_assets.loans.seed import create_table_sql
from credit_assets.loans.table import LoansError, check_table
from credit_assets.settings.file import Settings
from resources.machine.embedded_postgres import EmbeddedPostgres
from resources.services.database import Database, DatabaseAway, DatabaseError

DECLARED = Settings.model_validate(
    {
        "table": {"name": "loans"},
        "target": {"column": "default_status"},
        "features": {"income": {"type": "number"}, "score": {"type": "integer"}, "purpose": {"type": "category"}},
        "personal": {"age": {"type": "integer"}},
    }
)
INSERT = "INSERT INTO loans (default_status, income, score, purpose, age) VALUES (0, 1, 2, %s, 4)"


@pytest.fixture
def table(postgres: EmbeddedPostgres) -> Iterator[cursor]:
    """A table as it is declared; what a test does to it is rolled back."""
    with (
        closing(psycopg2.connect(postgres.create_database("loans_table"))) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(create_table_sql(DECLARED))
        yield cursor


@pytest.mark.parametrize(
    ("positive", "negative", "refused"),
    [("t", "f", False), ("f", "t", False), ("true", "false", False), (True, False, False), ("yes", "no", True)],
)
def test_a_boolean_target_has_the_values_of_a_boolean(
    table: cursor, positive: Any, negative: Any, refused: bool
) -> None:
    table.execute("ALTER TABLE loans ALTER default_status TYPE boolean USING true")
    target = {"column": "default_status", "positive": positive, "negative": negative}
    declared = Settings.model_validate(DECLARED.model_dump() | {"target": target})
    if not refused:
        check_table(table, declared)
        return
    with pytest.raises(LoansError, match="default_status is boolean: write negative = false and positive = true"):
        check_table(table, declared)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            "DROP COLUMN income",
            "table loans has no column income (expected bigint or double precision or",
        ),
        (
            "RENAME default_status TO outcome",
            "table loans has no column default_status (expected bigint or integer or numeric or smallint)",
        ),
        ("RENAME id TO number", "table loans has no column id (expected bigint or character or character varying or"),
        (
            "ALTER score TYPE real",
            "column loans.score is of type real; expected integer (bigint, integer, numeric, smallint)",
        ),
        (
            "ALTER created_at TYPE time",
            "column loans.created_at is of type time without time zone; expected time (date, timestamp with time zone",
        ),
        (
            "ALTER purpose TYPE real USING 1",
            "column loans.purpose is of type real; expected category (bigint, boolean, ",
        ),
        ("ALTER age TYPE text", "column loans.age is of type text; expected integer"),
        ("ALTER default_status TYPE boolean USING true", "loans.default_status is of type boolean; expected integer"),
        (
            "RENAME TO other_loans",
            "table loans is not in the database: create it, or correct table.name in the settings",
        ),
        ('RENAME TO "Loans"', "table loans is not in the database"),
    ],
    ids=["feature", "target", "id", "fraction", "time of day", "category", "personal", "boolean", "table", "capital"],
)
def test_a_table_that_is_not_as_declared_is_refused_by_column_and_type(
    table: cursor, change: str, expected: str
) -> None:
    check_table(table, DECLARED)
    table.execute(f"ALTER TABLE loans {change}")
    with pytest.raises(LoansError) as refused:
        check_table(table, DECLARED)
    assert expected in str(refused.value)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER id TYPE bigint",
        "ALTER created_at TYPE timestamptz",
        "ALTER income TYPE double precision",
        "ALTER income TYPE smallint",
        "ALTER purpose TYPE varchar(20)",
        "ADD COLUMN remark xml",
    ],
)
def test_a_column_may_be_of_any_type_that_its_role_can_be_read_from(table: cursor, change: str) -> None:
    table.execute(f"ALTER TABLE loans {change}")
    check_table(table, DECLARED)


def test_text_of_another_encoding_is_read_as_what_it_says(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    with closing(psycopg2.connect(postgres.create_database("postgres"))) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for name in ("latin1", "utf8"):
            cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING {name} LOCALE_PROVIDER libc LOCALE 'C'")
    for name in ("latin1", "utf8"):
        with (
            closing(psycopg2.connect(postgres.create_database(name))) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(create_table_sql(DECLARED))
            cursor.execute(INSERT.replace("loans (", "loans (created_at, ").replace("(0", "('2026-01-01', 0"), ["café"])
        with Database(url=postgres.create_database(name)).open_snapshot() as cursor:
            facts = extract_loans(cursor, DECLARED, datetime(2026, 1, 2, tzinfo=UTC), tmp_path / name)
        assert facts["rows"] == 1
        assert pq.read_table(tmp_path / name).column("purpose").to_pylist() == ["café"]
    assert (tmp_path / "latin1").read_bytes() == (tmp_path / "utf8").read_bytes()


NOT_A_URL = "PLATFORM_DATABASE_URL is not a URL of PostgreSQL; expected postgresql://user:password@host:port/database"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", "PLATFORM_DATABASE_URL is not set; expected postgresql://user:password@host:port/database"),
        ("postgres//clerk:s3cr3t@localhost/lending", NOT_A_URL),
        ("postgresql://clerk:s3cr3t%zz@localhost/lending", NOT_A_URL),
        ("postgresql://clerk:x@s3cr3t@localhost/lending", NOT_A_URL),
        ("postgresql://clerk:s3cr3t/x@localhost/lending", NOT_A_URL),
        ("postgresql://clerk:s3cr3t@127.0.0.1:1/lending", "port 1 failed: Connection refused"),
    ],
    ids=["empty", "not a URL", "bad escape", "bare at sign", "bare slash", "nobody answers"],
)
def test_a_database_that_cannot_be_had_names_the_setting_and_never_its_password(url: str, expected: str) -> None:
    with pytest.raises(DatabaseError) as refused:
        Database(url=url).connect()
    assert expected in str(refused.value)
    assert "PLATFORM_DATABASE_URL" in str(refused.value)
    assert "s3cr3t" not in str(refused.value)


def test_a_database_that_is_away_is_another_error_than_one_that_refuses(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(DatabaseAway):
        Database(url="postgresql://clerk@127.0.0.1:1/lending").connect()
    url = postgres.create_database("loans_table")
    with pytest.raises(DatabaseError, match="does not exist") as refused:
        Database(url=url.replace("loans_table", "no_such_database")).connect()
    assert not isinstance(refused.value, DatabaseAway)
    end = "SELECT pg_terminate_backend(pg_backend_pid())"
    with pytest.raises(DatabaseAway), Database(url=url).open_snapshot() as cursor:
        cursor.execute(end)
    slow = "SET statement_timeout = 10; SELECT pg_sleep(1)"
    with pytest.raises(DatabaseError) as refused, Database(url=url).open_snapshot() as cursor:
        cursor.execute(slow)
    assert not isinstance(refused.value, DatabaseAway)


def test_a_value_that_postgresql_refuses_is_not_quoted_and_a_missing_column_is_named(
    postgres: EmbeddedPostgres,
) -> None:
    database = Database(url=postgres.create_database("loans_table"))
    with pytest.raises(DatabaseError) as refused, database.open_snapshot() as cursor:
        cursor.execute("SELECT 'Kryptozoologie'::numeric")
    assert "(InvalidTextRepresentation, SQLSTATE 22P02). " in str(refused.value)
    assert "PLATFORM_DATABASE_URL" in str(refused.value)
    missing = r'SQLSTATE 42P01: relation "no_such_table" does not exist\)'
    with pytest.raises(DatabaseError, match=missing), database.open_snapshot() as cursor:
        cursor.execute("SELECT FROM no_such_table")
    with (
        pytest.raises(DatabaseError, match=r"SQLSTATE 25006: cannot execute CREATE TABLE in a read-only transaction\)"),
        database.open_snapshot() as cursor,
    ):
        cursor.execute("CREATE TABLE written (id integer)")


def count_written(database: Database) -> int | None:
    """Rows of the table `written`; None if there is none."""
    with database.open_snapshot() as cursor:
        cursor.execute("SELECT to_regclass('written')")
        if cursor.fetchone() == (None,):
            return None
        cursor.execute("SELECT count(*) FROM written")
        (rows,) = cursor.fetchone() or (0,)
        return rows


def be_stopped_after(cursor: cursor, statement: str) -> None:
    cursor.execute(statement)
    raise KeyboardInterrupt


def test_a_transaction_is_written_as_a_whole_or_not_at_all_and_names_its_own_setting(database_url: str) -> None:
    database = Database(url=database_url, setting="PLATFORM_SCORES_URL")
    create = "CREATE TABLE written (id integer PRIMARY KEY); INSERT INTO written VALUES (1)"
    with pytest.raises(DatabaseError) as refused, database.open_transaction() as cursor:
        cursor.execute(f"{create}; INSERT INTO written VALUES (1)")
    assert "the database failed while it was written to (UniqueViolation, SQLSTATE 23505). " in str(refused.value)
    assert str(refused.value).endswith("PLATFORM_SCORES_URL names it")
    assert count_written(database) is None, "half of it was written"
    with pytest.raises(KeyboardInterrupt), database.open_transaction() as cursor:
        be_stopped_after(cursor, create)
    assert count_written(database) is None
    with database.open_transaction() as cursor:
        cursor.execute(create)
    assert count_written(database) == 1
    end = "SELECT pg_terminate_backend(pg_backend_pid())"
    with pytest.raises(DatabaseAway, match="PLATFORM_SCORES_URL"), database.open_transaction() as cursor:
        cursor.execute(end)
    with pytest.raises(DatabaseError, match=r"^PLATFORM_SCORES_URL is not set; expected postgresql://"):
        Database(url="", setting="PLATFORM_SCORES_URL").connect()


def fall_silent_while_a_retry_writes(silent: cursor, retry: Database) -> None:
    silent.execute("UPDATE written SET id = 2")
    with retry.open_transaction() as beside:
        beside.execute("SET LOCAL lock_timeout = '30s'")
        beside.execute("UPDATE written SET id = 3")
    silent.execute("UPDATE written SET id = 2")


def test_a_client_that_fell_silent_in_the_middle_of_writing_keeps_its_rows_from_nobody(database_url: str) -> None:
    lost = Database(url=database_url, setting="PLATFORM_SCORES_URL", silent_seconds=1)
    retry = Database(url=database_url, setting="PLATFORM_SCORES_URL")
    with retry.open_transaction() as cursor:
        cursor.execute("CREATE TABLE written (id integer PRIMARY KEY); INSERT INTO written VALUES (1)")
    with pytest.raises(DatabaseAway, match="PLATFORM_SCORES_URL"), lost.open_transaction() as silent:
        fall_silent_while_a_retry_writes(silent, retry)
    with retry.open_snapshot() as cursor:
        cursor.execute("SELECT id FROM written")
        assert cursor.fetchall() == [(3,)]
