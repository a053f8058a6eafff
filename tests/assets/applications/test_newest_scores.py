"""A sum over scores of applications that were decided on long ago makes a rate of a risk that is no longer there."""

from datetime import UTC, datetime, timedelta

import pytest

from credit_assets.applications.newest_scores import LocationSum, sum_newest_scores
from credit_assets.applications.scores_table import ScoresError, create_scores_table
from credit_assets.applications.tables import LocationsError, read_segments
from credit_assets.settings.file import Settings
from credit_assets.settings.scoring import Scoring
from resources.services.database import Database

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def scoring(declared: Settings) -> Scoring:
    return declared.require_scoring()


def write(database: Database, scoring: Scoring, *rows: tuple[str, int, float, int]) -> None:
    """Writes scores: location, application, probability, and how many hours after noon the wave began."""
    with database.open_transaction() as cursor:
        create_scores_table(cursor, scoring)
        for location, application, probability, hours in rows:
            began = NOON + timedelta(hours=hours)
            cursor.execute(
                "INSERT INTO scores VALUES (%s, %s, %s, 1, 'f', 'w', %s, %s)",
                (location, application, probability, began, began + application * SECOND),
            )


def read(database: Database, scoring: Scoring) -> list[LocationSum]:
    with database.open_snapshot() as cursor:
        sums, now = sum_newest_scores(cursor, scoring)
    assert now.tzinfo is not None
    return sorted(sums, key=lambda each: each.location)


def test_only_the_scores_of_a_locations_own_last_wave_are_summed_up(database: Database, scoring: Scoring) -> None:
    write(database, scoring, ("a", 1, 0.9, 0), ("a", 2, 0.2, 3), ("a", 3, 0.3, 3), ("b", 4, 0.4, 0), ("b", 5, 0.5, -3))
    noon_and_three = NOON + timedelta(hours=3)
    first, second = read(database, scoring)
    assert first == LocationSum("a", 2, 0.5, 0, noon_and_three + 2 * SECOND)
    assert second == LocationSum("b", 1, 0.4, 0, NOON + 4 * SECOND)


def test_scores_that_are_no_probability_are_counted(database: Database, scoring: Scoring) -> None:
    write(database, scoring, *((f"l{n}", n, value, 0) for n, value in enumerate([float("nan"), -0.1, 1.1, 0.0, 1.0])))
    assert [each.unusable for each in read(database, scoring)] == [1, 1, 1, 0, 0]


def test_a_table_without_scores_and_one_that_is_missing_are_two_things(database: Database, scoring: Scoring) -> None:
    with pytest.raises(ScoresError, match=r"table scores is not in the database: no wave has written scores\. Run one"):
        read(database, scoring)
    write(database, scoring)
    assert read(database, scoring) == []


def test_a_table_of_scores_that_can_not_be_read_is_refused_by_its_column(database: Database, scoring: Scoring) -> None:
    write(database, scoring)
    with database.open_transaction() as cursor:
        cursor.execute("ALTER TABLE scores RENAME wave_began TO began")
    with pytest.raises(ScoresError, match="table scores has no column wave_began"):
        read(database, scoring)


def test_each_location_has_one_segment_or_none(database: Database, scoring: Scoring) -> None:
    with database.open_transaction() as cursor:
        cursor.execute("ALTER TABLE branches DROP CONSTRAINT branches_pkey, ALTER branch DROP NOT NULL")
        cursor.execute("ALTER TABLE branches ALTER segment DROP NOT NULL")
        cursor.execute(
            "INSERT INTO branches SELECT branch, segment, now() FROM (VALUES ('good', 'é/🏦'), ('twice', 'é/🏦'), "
            "('twice', 'é/🏦'), ('torn', 'x'), ('torn', 'y'), ('null', NULL), ('empty', ''), "
            "('long', repeat('s', 601)), (NULL, 'x')) AS rows (branch, segment)"
        )
    with database.open_snapshot() as cursor:
        segments = read_segments(cursor, scoring, "segment")
    assert segments == {
        "good": "é/🏦", "twice": "é/🏦", "torn": None, "null": None, "empty": None, "long": None
    }  # fmt: skip


def test_a_missing_column_of_segments_is_named(database: Database, scoring: Scoring) -> None:
    with database.open_snapshot() as cursor, pytest.raises(LocationsError, match="table branches has no column region"):
        read_segments(cursor, scoring, "region")
