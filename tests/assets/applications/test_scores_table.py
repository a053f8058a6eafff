"""The scores are what others read.

An old wave that wakes up must not bring old scores back, and a retry must not double them.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from credit_assets.applications.scores_table import (
    SCORE_COLUMNS,
    ScoresError,
    create_scores_table,
    score_schema,
    upsert_scores,
)
from credit_assets.settings.file import Settings
from credit_assets.settings.scoring import Scoring
from resources.services.database import Database, DatabaseError

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ODD = ['it\'s a "name", \\N\n🏦', "x" * 200, "north/south", "NULL"]


@pytest.fixture
def scoring(declared: Settings) -> Scoring:
    return declared.require_scoring()


def scores(wave: str = "first", began: datetime = NOON, /, **changed: Any) -> pa.Table:
    """Four scores of one wave."""
    columns: dict[str, list[Any]] = {
        "location": ODD,
        "application": [4, 3, 2, 2**62],
        "probability": [0.1, 1 / 3, 5e-324, 1.0],
        "model_number": [7] * 4,
        "model_sha256": ["f" * 64] * 4,
        "wave": [wave] * 4,
        "wave_began": [began] * 4,
        "scored_at": [began + timedelta(seconds=1, microseconds=1)] * 4,
    }
    return pa.table(columns | changed, schema=score_schema())


def write(database: Database, scoring: Scoring, *tables: pa.Table) -> list[int]:
    """Writes tables in one transaction: how many rows each wrote."""
    with database.open_transaction() as cursor:
        create_scores_table(cursor, scoring)
        return [upsert_scores(cursor, scoring, table) for table in tables]


def stored(database: Database, scoring: Scoring) -> list[dict[str, Any]]:
    with database.open_snapshot() as cursor:
        cursor.execute(f"SELECT {', '.join(SCORE_COLUMNS)} FROM {scoring.scores} ORDER BY application")
        return [dict(zip(SCORE_COLUMNS, row, strict=True)) for row in cursor.fetchall()]


def rows(table: pa.Table) -> list[dict[str, Any]]:
    return sorted(table.to_pylist(), key=lambda row: row["application"])


def test_what_was_written_is_what_is_read_to_the_last_digit(database: Database, scoring: Scoring) -> None:
    assert write(database, scoring, scores()) == [4]
    assert stored(database, scoring) == rows(scores())


def test_two_upserts_of_one_chunk_leave_one_row_each(database: Database, scoring: Scoring) -> None:
    assert write(database, scoring, scores(), scores()) == [4, 4]
    assert write(database, scoring, scores()) == [4]
    assert stored(database, scoring) == rows(scores())


def test_a_later_wave_takes_the_place_of_an_earlier_one_and_not_the_other_way_round(
    database: Database, scoring: Scoring
) -> None:
    later = scores("second", NOON + timedelta(hours=3), probability=[0.9] * 4, model_number=[8] * 4)
    assert write(database, scoring, scores()) == [4]
    assert write(database, scoring, later.slice(0, 2)) == [2]
    assert write(database, scoring, scores("woken up", probability=[0.5] * 4)) == [2]
    found = {row["application"]: (row["wave"], row["probability"]) for row in stored(database, scoring)}
    assert found == {4: ("second", 0.9), 3: ("second", 0.9), 2: ("woken up", 0.5), 2**62: ("woken up", 0.5)}
    assert write(database, scoring, later) == [4]
    assert stored(database, scoring) == rows(later)


def test_wave_after_wave_the_table_stays_as_large_as_it_was(database: Database, scoring: Scoring) -> None:
    rows = 2_000
    many = {name: scores().column(name).to_pylist()[:1] * rows for name in SCORE_COLUMNS} | {"application": range(rows)}
    sizes = []
    for hour in range(6):
        write(database, scoring, scores(**many | {"wave_began": [NOON + timedelta(hours=hour)] * rows}))
        with database.open_snapshot() as cursor:
            cursor.execute("SELECT pg_relation_size('scores'), pg_relation_size('scores_pkey')")
            sizes.append(cursor.fetchone())
    assert sizes[5] == sizes[0]


def test_an_application_that_moved_has_one_score_under_its_new_location(database: Database, scoring: Scoring) -> None:
    write(database, scoring, scores(), scores(location=["moved"] * 4))
    assert {row["location"] for row in stored(database, scoring)} == {"moved"}
    assert len(stored(database, scoring)) == 4


def test_no_rows_are_written_without_an_error(database: Database, scoring: Scoring) -> None:
    assert write(database, scoring, scores().slice(0, 0)) == [0]
    assert stored(database, scoring) == []


@pytest.mark.parametrize("column", [name for name in SCORE_COLUMNS if name != "application"])
def test_a_score_that_lacks_a_value_is_refused_and_the_chunk_with_it(
    database: Database, scoring: Scoring, column: str
) -> None:
    write(database, scoring)
    lacking = scores(**{column: [None, *scores().column(column).to_pylist()[1:]]})
    with pytest.raises(DatabaseError, match="SQLSTATE 23502") as refused:
        write(database, scoring, lacking)
    assert "north/south" not in str(refused.value)
    assert stored(database, scoring) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("DROP wave", "wave is missing (expected text)"),
        ("ADD remark text", "remark is text (expected no such column)"),
        (
            "ALTER application TYPE integer",
            "application is integer (expected bigint, because column requests.number is of type bigint)",
        ),
        (
            "ALTER wave_began TYPE timestamp",
            "wave_began is timestamp without time zone (expected timestamp with time zone)",
        ),
        ("DROP CONSTRAINT scores_pkey", "table scores has no unique index on its column application"),
    ],
)
def test_another_table_of_that_name_is_refused_by_its_columns_and_left_alone(
    database: Database, scoring: Scoring, change: str, expected: str
) -> None:
    write(database, scoring, scores().slice(0, 3))
    with database.open_transaction() as cursor:
        cursor.execute(f"ALTER TABLE scores {change}")
    with pytest.raises(ScoresError) as refused:
        write(database, scoring, scores("second"))
    assert expected in str(refused.value)
    with database.open_snapshot() as cursor:
        cursor.execute("SELECT count(*) FROM scores")
        assert cursor.fetchone() == (3,)


def test_a_table_in_a_schema_is_made_and_filled_and_a_missing_schema_is_named(
    database: Database, scoring: Scoring
) -> None:
    elsewhere = scoring.model_copy(update={"scores": "risk.scores"})
    with pytest.raises(ScoresError, match=r"scoring\.scores is risk\.scores, and the database has no schema risk: "):
        write(database, elsewhere)
    with database.open_transaction() as cursor:
        cursor.execute("CREATE SCHEMA risk")
    assert write(database, elsewhere, scores(), scores()) == [4, 4]
    assert stored(database, elsewhere) == rows(scores())


def test_a_role_that_may_only_read_the_loans_cannot_write_scores(as_reader: Database, scoring: Scoring) -> None:
    with pytest.raises(DatabaseError, match="permission denied for schema public"):
        write(as_reader, scoring, scores())


def test_a_role_that_may_not_create_tables_can_write_to_one_that_is_there(
    database: Database, as_reader: Database, scoring: Scoring
) -> None:
    write(database, scoring, scores())
    with database.open_transaction() as cursor:
        cursor.execute("GRANT SELECT, INSERT, UPDATE ON scores TO reader")
    assert write(as_reader, scoring, scores("second", NOON + timedelta(hours=3))) == [4]
    assert {row["wave"] for row in stored(database, scoring)} == {"second"}
