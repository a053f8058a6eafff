"""A wave that can't be scored rightly must score nothing, and must name the setting, the table or the model."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from credit_assets.waves.plans.making import WAVE
from resources.services.database import Database, DatabaseAway


def has_scores(waves) -> bool:
    ((there,),) = waves.sandbox.execute("SELECT to_regclass('scores') IS NOT NULL")
    return there and waves.sandbox.execute("SELECT count(*) FROM scores") != [(0,)]


@pytest.fixture
def change_settings(waves) -> Iterator[Callable[[str, str], None]]:
    path = waves.sandbox.settings
    before = path.read_text()

    def change(old: str, new: str) -> None:
        assert old in before, old
        path.write_text(path.read_text().replace(old, new))

    yield change
    path.write_text(before)


def test_without_a_promoted_model_a_wave_says_that_nothing_was_promoted(waves, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PLATFORM_STORE", (tmp_path / "empty").as_uri())
    assert "nothing was promoted yet" in waves.find_reason(waves.run())
    assert not has_scores(waves)


def test_a_model_of_other_features_scores_nothing_and_is_named(waves, change_settings) -> None:
    change_settings("\nage = {", "\n# age = {")
    said = waves.find_reason(waves.run())
    assert "promotion 1 was made from other columns than the settings declare: age is" in said
    assert not has_scores(waves)


def test_a_model_of_another_outcome_scores_nothing_and_the_error_says_which(waves, change_settings) -> None:
    change_settings("negative = 0\npositive = 1", "negative = 1\npositive = 0")
    said = waves.find_reason(waves.run())
    assert "another outcome than the settings declare: target.negative is 0 there and 1 in the settings" in said
    assert "Give [target] the values of the set" in said
    assert not has_scores(waves)


def test_a_damaged_model_is_not_loaded_and_scores_nothing(waves) -> None:
    (model,) = Path(waves.sandbox.store).glob("trained_model/*/*/*.joblib")
    good = model.read_bytes()
    model.write_bytes(good[:-1])
    try:
        assert "was truncated or extended after it was written" in waves.find_reason(waves.run())
        assert not has_scores(waves)
    finally:
        model.write_bytes(good)


def test_without_the_section_scoring_a_wave_names_it(waves, change_settings) -> None:
    text = waves.sandbox.settings.read_text()
    change_settings(text[text.index("[scoring]") : text.index("[seed]")], "")
    change_settings("locations = 12", "locations = 0")
    assert "no section [scoring]" in waves.find_reason(waves.run())


def test_a_table_without_locations_is_named_and_nothing_is_scored(waves) -> None:
    waves.sandbox.execute("DELETE FROM locations")
    assert "table locations has no location" in waves.find_reason(waves.run())
    waves.sandbox.execute("DROP TABLE locations")
    assert "table locations is not in the database" in waves.find_reason(waves.run())
    assert not has_scores(waves)


@pytest.mark.parametrize("selects", [False, True], ids=["wave", "selection"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DROP age", r"table applications has no column age \(expected .+, because it is a feature of the loans\):"),
        ("ALTER age TYPE text", r"column applications\.age is of type text; expected integer .+ for the loans too, so"),
    ],
    ids=["missing", "type"],
)
def test_a_column_that_no_location_can_be_scored_without_is_one_error_before_any_location_begins(
    waves, selects: bool, change: str, said: str
) -> None:
    waves.sandbox.execute(f"ALTER TABLE applications {change}")
    result = waves.select("branch-0001", "branch-0003") if selects else waves.run()
    assert re.search(said, waves.find_reason(result))
    assert not has_scores(waves)
    assert waves.recorded(result.run_id) == []
    assert waves.status()[2] == set(), "a location is shown as under way"
    assert not list(waves.sandbox.store.glob("*/*/failed/*.log")), "a location was tried"


def test_without_a_database_for_scores_the_wave_names_its_variable(waves, monkeypatch) -> None:
    monkeypatch.delenv("PLATFORM_SCORES_URL")
    assert "PLATFORM_SCORES_URL is not set" in waves.find_reason(waves.run())
    assert not has_scores(waves)


def test_applications_of_a_location_that_nobody_knows_are_counted_and_not_scored(waves) -> None:
    waves.sandbox.execute("UPDATE applications SET location = 'nowhere' WHERE location = 'branch-0001'")
    waves.sandbox.execute("DELETE FROM locations WHERE location = 'branch-0002'")
    result = waves.run()
    assert result.success
    page = waves.instance.get_latest_materialization_event(dg.AssetKey(WAVE)).asset_materialization.metadata
    expected = waves.applications()
    assert page["applications of no known location"].value == expected["nowhere"] + expected["branch-0002"]
    assert page["locations that the table lacks"].value == '"branch-0002", "nowhere"'
    assert "locations with several rows" not in page
    assert waves.scores() == {
        location: count for location, count in expected.items() if location not in ("nowhere", "branch-0002")
    }
    assert waves.status()[0] == {f"branch-{number:04}" for number in range(1, 13)} - {"branch-0002"}


def test_two_locations_whose_applications_share_an_id_both_fail_although_their_chunks_differ(waves) -> None:
    waves.sandbox.execute(
        "ALTER TABLE applications DROP CONSTRAINT applications_pkey; "
        "UPDATE applications SET id = (SELECT min(id) FROM applications WHERE location = 'branch-0009' "
        "AND decided_at IS NULL) WHERE id = (SELECT min(id) FROM applications WHERE location = 'branch-0002' "
        "AND decided_at IS NULL)"
    )
    result = waves.run(locations=["branch-0002", "branch-0003"])
    assert not result.success
    assert set(waves.scores()) == {"branch-0003"}
    assert waves.run().success is False
    assert waves.status()[1] == {"branch-0002", "branch-0009"}
    page = waves.instance.get_latest_materialization_event(dg.AssetKey(WAVE)).asset_materialization.metadata
    assert {row.data["what happened"] for row in page["failed locations"].value.records} == {
        "an id that another application has: id: 1 row; expected none"
    }


def test_a_database_that_is_away_when_a_wave_is_planned_is_waited_for(waves) -> None:
    class AwayAtFirst(Database):
        """Nothing answers the first question."""

        _asked: int = 0

        def connect(self) -> Any:
            self._asked += 1
            if self._asked == 1:
                raise DatabaseAway("the database can't be used: connection refused")
            return super().connect()

    url = waves.sandbox.environment["PLATFORM_DATABASE_URL"]
    assert waves.run(resources={"database": AwayAtFirst(url=url)}).success
    assert waves.scores() == waves.applications()


def test_odd_names_are_scored_recorded_and_shown_like_any_other(waves) -> None:
    odd = ['a "quoted" name', "slashes/and\\back", "🏦 Zürich", "x" * 200, "it's", "...", "tab\tand\nline", "{1,2}"]
    for number, name in enumerate(odd, start=1):
        quoted = name.replace("'", "''")
        for table in ("locations", "applications"):
            waves.sandbox.execute(
                f"UPDATE {table} SET location = E'{escape(quoted)}' WHERE location = 'branch-{number:04}'"
            )
    assert waves.run().success
    assert waves.scores() == waves.applications()
    assert set(odd) <= waves.status()[0]


def escape(text: str) -> str:
    """For a string of PostgreSQL with escapes."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def test_a_location_with_several_rows_is_scored_once_and_named_on_the_page(waves) -> None:
    waves.sandbox.execute("ALTER TABLE locations DROP CONSTRAINT locations_pkey")
    waves.sandbox.execute("INSERT INTO locations SELECT * FROM locations WHERE location = 'branch-0003'")
    assert waves.run().success
    page = waves.instance.get_latest_materialization_event(dg.AssetKey(WAVE)).asset_materialization.metadata
    assert page["locations with several rows"].value == '"branch-0003"'
    assert "locations that the table lacks" not in page
    assert waves.scores() == waves.applications()
