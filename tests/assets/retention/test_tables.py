"""Scores of a location that left go after a while. Those of a location that exists never do, or it has no price."""

import time
from typing import Any

import pytest

from credit_assets.applications.scores_table import create_scores_table
from credit_assets.retention.tables import find_table_removals
from credit_assets.settings.file import Settings
from resources.services.database import Database

DECLARED = Settings.model_validate(
    {
        "table": {"name": "loans"},
        "target": {"column": "default_status"},
        "features": {"income": {"type": "number"}},
        "scoring": {"locations": "places", "applications": "requests", "scores": "scores"},
        "retention": {"left_days": 90},
    }
)


@pytest.fixture
def database(database_url: str) -> Database:
    """Location a exists, and location b has left; each has two scores, of which one is 100 days old."""
    database = Database(url=database_url)
    with database.open_transaction() as cursor:
        cursor.execute("CREATE TABLE places (location text); INSERT INTO places VALUES ('a')")
        create_scores_table(cursor, DECLARED.require_scoring())
        cursor.execute(
            "INSERT INTO scores SELECT l, row_number() OVER (), 0.5, 1, 'f', 'w', now() - d * interval '1 day', "
            "now() - d * interval '1 day' FROM unnest(ARRAY['a', 'b']) AS l, unnest(ARRAY[1, 100]) AS d"
        )
    return database


def scores(database: Database) -> list[str]:
    with database.open_snapshot() as cursor:
        cursor.execute(
            "SELECT location || CASE WHEN scored_at < now() - interval '50 days' THEN ' old' ELSE '' END FROM scores"
        )
        return sorted(name for (name,) in cursor.fetchall())


def find(database: Database, settings: Settings = DECLARED) -> Any:
    (found,) = find_table_removals(database, database, settings, time.time())
    return found


def test_only_old_scores_of_a_location_that_left_go(database: Database) -> None:
    found = find(database)
    assert (found.goes.count, found.stays.count) == (1, 3)
    assert len(scores(database)) == 4, "looking deletes nothing"
    found.delete()
    found.delete()
    assert scores(database) == ["a", "a old", "b"]


def test_many_rows_go_in_several_transactions(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credit_assets.retention.tables.ROWS_AT_ONCE", 2)
    with database.open_transaction() as cursor:
        cursor.execute(
            "INSERT INTO scores SELECT 'b', n, 0.5, 1, 'f', 'w', to_timestamp(0), to_timestamp(0) "
            "FROM generate_series(10, 14) AS n"
        )
    find(database).delete()
    assert scores(database) == ["a", "a old", "b"]


@pytest.mark.parametrize("fault", ["DELETE FROM places", "DROP TABLE places"])
def test_nothing_goes_if_the_table_of_locations_is_empty_or_missing_and_it_says_so(
    database: Database, fault: str
) -> None:
    before = find(database)
    with database.open_transaction() as cursor:
        cursor.execute(fault)
    found = find(database)
    assert found.goes.count == 0
    assert "nothing is deleted" in found.why
    found.delete()
    before.delete()
    assert len(scores(database)) == 4, "also if it was emptied after the dry run"


def test_a_location_that_came_back_after_the_dry_run_keeps_its_scores(database: Database) -> None:
    found = find(database)
    with database.open_transaction() as cursor:
        cursor.execute("INSERT INTO places VALUES ('b')")
    found.delete()
    assert len(scores(database)) == 4


def test_without_the_section_nothing_goes(database: Database) -> None:
    settings = DECLARED.model_copy(update={"retention": None})
    assert find_table_removals(database, database, settings, time.time()) == []


def test_the_price_of_a_segment_goes_only_when_it_left_long_ago(database: Database) -> None:
    pricing = {
        "segment": "segment",
        "prices": "prices",
        "base_rate": 0.04,
        "loss_given_default": 0.5,
        "minimum_rate": 0.05,
        "maximum_rate": 0.3,
        "maximum_step": 0.02,
    }
    settings = Settings.model_validate(DECLARED.model_dump() | {"pricing": pricing})
    with database.open_transaction() as cursor:
        cursor.execute("ALTER TABLE places ADD segment text DEFAULT 'north'")
        cursor.execute("CREATE TABLE prices (segment text PRIMARY KEY, priced_at timestamptz)")
        cursor.execute(
            "INSERT INTO prices VALUES ('north', to_timestamp(0)), ('south', to_timestamp(0)), ('west', now())"
        )
    _, found = find_table_removals(database, database, settings, time.time())
    assert (found.goes.count, found.stays.count) == (1, 2)
    found.delete()
    with database.open_snapshot() as cursor:
        cursor.execute("SELECT segment FROM prices ORDER BY 1")
        assert cursor.fetchall() == [("north",), ("west",)]
