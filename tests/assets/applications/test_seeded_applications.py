"""The seed writes to a database: rows that are there stay, and what it makes can be scored."""

import pytest

from credit_assets.applications.reading import read_applications
from credit_assets.applications.seed import fill_applications
from credit_assets.applications.tables import count_applications, read_locations
from credit_assets.applications.validation import find_defects
from credit_assets.settings.file import Settings, SettingsError, load_settings
from resources.services.database import Database
from tests.support.settings import LOANS_SETTINGS


@pytest.fixture
def seeded() -> Settings:
    settings = load_settings(LOANS_SETTINGS)
    return settings.model_copy(update={"seed": settings.seed.model_copy(update={"locations": 20, "applications": 10})})


@pytest.fixture
def empty(database_url: str) -> Database:
    return Database(url=database_url)


def fill(database: Database, settings: Settings) -> int:
    with database.open_transaction() as cursor:
        return fill_applications(cursor, settings)


def test_an_empty_database_gets_applications_that_can_be_scored_and_only_once(
    empty: Database, seeded: Settings
) -> None:
    assert fill(empty, seeded) == 200
    assert fill(empty, seeded) == 0
    with empty.open_snapshot() as cursor:
        names = read_locations(cursor, seeded.require_scoring())
        assert (names[0], len(names)) == ("branch-0001", 20)
        assert set(count_applications(cursor, seeded.require_scoring())) == set(names)
        rows = read_applications(cursor, seeded, names)
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'applications'")
        indexes = [index for (index,) in cursor.fetchall()]
    assert rows.num_rows == 200
    assert find_defects(rows, seeded) == {}
    assert any("(location)" in index for index in indexes)


@pytest.mark.parametrize("table", ["locations", "applications"])
def test_one_row_of_somebody_else_in_either_table_keeps_both_as_they_are(
    empty: Database, seeded: Settings, table: str
) -> None:
    fill(empty, seeded)
    with empty.open_transaction() as cursor:
        cursor.execute("TRUNCATE locations, applications")
        cursor.execute("INSERT INTO locations VALUES ('north', 's', now())")
        cursor.execute("INSERT INTO applications (id, location) VALUES (1, 'north')")
        cursor.execute(f"DELETE FROM {({'locations', 'applications'} - {table}).pop()}")
    assert fill(empty, seeded) == 0
    with empty.open_snapshot() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM locations) + (SELECT count(*) FROM applications)")
        assert cursor.fetchone() == (1,)


def test_a_feature_that_the_seed_has_no_values_for_is_named_and_nothing_is_left(
    empty: Database, seeded: Settings
) -> None:
    other = Settings.model_validate(seeded.model_dump() | {"features": {"purpose": {"type": "category"}}})
    with pytest.raises(SettingsError, match=r"^seed\.locations: the seed has no column purpose"):
        fill(empty, other)
    with empty.open_snapshot() as cursor:
        cursor.execute("SELECT to_regclass('locations'), to_regclass('applications')")
        assert cursor.fetchone() == (None, None)


def test_an_empty_table_with_other_columns_is_named(empty: Database, seeded: Settings) -> None:
    with empty.open_transaction() as cursor:
        cursor.execute("CREATE TABLE applications (id bigint)")
    with pytest.raises(SettingsError, match=r"locations and applications can't be made or filled .*seed\.locations"):
        fill(empty, seeded)
