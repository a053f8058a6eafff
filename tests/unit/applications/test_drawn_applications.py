"""The first wave that somebody sees is one of these rows: it must be the same everywhere, and score as loans do."""

from typing import Any

import pyarrow.compute as pc
import pytest

from credit_assets.applications.seed import draw_applications, draw_locations
from credit_assets.settings.file import Settings, SettingsError, load_settings
from tests.support.settings import LOANS_SETTINGS


def declared(**seed: Any) -> Settings:
    settings = load_settings(LOANS_SETTINGS)
    return settings.model_copy(update={"seed": settings.seed.model_copy(update=seed)})


def test_two_machines_draw_the_same_locations_and_applications() -> None:
    assert draw_applications(declared()).equals(draw_applications(declared()))
    locations = draw_locations("location", declared().seed)
    assert locations.equals(draw_locations("location", declared().seed))
    names = locations.column("location").to_pylist()
    assert (names[0], names[-1], len(set(names))) == ("branch-0001", "branch-0200", 200)
    assert pc.count_distinct(locations.column("segment")).as_py() == 12


def test_every_location_has_as_many_open_applications_as_the_seed_says_and_some_decided_ones() -> None:
    drawn = draw_applications(declared(locations=30, applications=50))
    is_open = pc.is_null(drawn.column("decided_at"))
    counts = pc.value_counts(drawn.filter(is_open).column("location")).to_pylist()
    assert [each["counts"] for each in counts] == [50] * 30
    assert drawn.num_rows == 30 * 52
    assert pc.count_distinct(drawn.column("id")).as_py() == drawn.num_rows


def test_no_drawn_application_has_a_defect_that_the_settings_name() -> None:
    settings = declared()
    drawn = draw_applications(settings)
    for name, feature in settings.features.items():
        assert drawn.column(name).null_count == 0
        bounds = pc.min_max(drawn.column(name)).as_py()
        assert feature.minimum is not None
        assert feature.maximum is not None
        assert feature.minimum <= bounds["min"] < bounds["max"] <= feature.maximum


def test_without_a_column_for_decisions_all_are_open() -> None:
    settings = declared(locations=3, applications=4)
    scoring = settings.require_scoring().model_copy(update={"decided_at": None})
    drawn = draw_applications(settings.model_copy(update={"scoring": scoring}))
    assert drawn.num_rows == 12
    assert "decided_at" not in drawn.column_names


def test_a_location_may_have_no_applications() -> None:
    assert draw_applications(declared(applications=0)).num_rows == 0
    assert draw_locations("name", declared(applications=0).seed).num_rows == 200


def test_a_feature_that_no_loan_is_drawn_with_is_named() -> None:
    settings = Settings.model_validate(
        declared().model_dump() | {"features": {"age": {"type": "integer"}, "purpose": {"type": "category"}}}
    )
    with pytest.raises(SettingsError, match=r"^seed\.locations: the seed has no column purpose\. Set seed\.locations"):
        draw_applications(settings)
