"""A location with bad applications must fail alone, and say why.

A rule that is too broad fails its neighbours. One that is too narrow has the model guess from values it never saw.
"""

import math
from typing import Any

import pyarrow as pa
import pytest

from credit_assets.applications.reading import application_schema
from credit_assets.applications.validation import REPEATED, find_defects
from credit_assets.settings.file import Settings, SettingsError

SETTINGS: dict[str, Any] = {
    "table": {"name": "loans"},
    "target": {"column": "default_status"},
    "features": {
        "income": {"type": "number", "minimum": 0, "maximum": 1000},
        "credit_score": {"type": "integer", "minimum": 300},
        "purpose": {"type": "category"},
    },
    "scoring": {"locations": "branches", "applications": "requests", "scores": "scores", "location": "branch"},
}
DECLARED = Settings.model_validate(SETTINGS)
NAMES = ["north", "south", "it's a \\ 🏦"]


def applications(**changed: list[Any]) -> pa.Table:
    """Two good applications in each of three locations, of which the first few have other values."""
    columns: dict[str, list[Any]] = {
        "branch": [name for name in NAMES for _ in range(2)],
        "id": [1, 2, 3, 4, 5, 6],
        "income": [0.0, 1000.0, 5.0, 6.0, 7.0, 8.0],
        "credit_score": [300, 10**12, 500, 501, 502, 503],
        "purpose": ["", "car", "boat", "house", "car", "car"],
    }
    for name, values in changed.items():
        columns[name][: len(values)] = values
    return pa.table(columns, schema=application_schema(DECLARED))


def test_good_applications_have_no_defect_and_values_on_a_bound_are_good() -> None:
    assert find_defects(applications(), DECLARED) == {}
    assert find_defects(applications().slice(0, 0), DECLARED) == {}


def test_ids_that_are_text_may_be_any_but_a_key_too_long_and_one_that_another_application_has() -> None:
    ids = ["", "é" * 600, "x" * 601, "x", "NULL", "x"]
    schema = application_schema(DECLARED, text_ids=True)
    defects = find_defects(applications().drop(["id"]).append_column("id", [ids]).select(schema.names), DECLARED)
    assert defects == {
        "south": f"longer than 600 characters: id: 1 row; expected none. {REPEATED}: id: 1 row; expected none",
        NAMES[2]: f"{REPEATED}: id: 1 row; expected none",
    }


@pytest.mark.parametrize(
    ("column", "values", "sentence"),
    [
        ("income", [None], "NULL or NaN: income: 1 row; expected none"),
        ("income", [math.nan, math.nan], "NULL or NaN: income: 2 rows; expected none"),
        ("credit_score", [None], "NULL or NaN: credit_score: 1 row; expected none"),
        ("purpose", [None, None], "NULL or NaN: purpose: 2 rows; expected none"),
        ("id", [None, None], "NULL or NaN: id: 2 rows; expected none"),
        ("income", [-0.01], "outside of the bounds in the settings: income (0 to 1,000): 1 row; expected none"),
        (
            "income",
            [1000.01, -1.0],
            "outside of the bounds in the settings: income (0 to 1,000): 2 rows; expected none",
        ),
        (
            "credit_score",
            [299],
            "outside of the bounds in the settings: credit_score (at least 300): 1 row; expected none",
        ),
        ("id", [2, 2], "an id that another application has: id: 2 rows; expected none"),
    ],
)
def test_the_location_alone_is_refused_by_its_column_and_how_many_rows(
    column: str, values: list[Any], sentence: str
) -> None:
    assert find_defects(applications(**{column: values}), DECLARED) == {"north": sentence}


def test_an_infinite_number_is_a_defect_of_its_own_and_is_above_every_bound() -> None:
    found = find_defects(applications(income=[math.inf]), DECLARED)["north"]
    assert found.startswith("infinite: income: 1 row; expected none. outside of the bounds")


def test_a_value_may_be_missing_where_the_settings_allow_it_and_nowhere_else() -> None:
    features = {name: column.model_dump() for name, column in DECLARED.features.items()}
    for name in ("income", "purpose"):
        allowed = features | {name: features[name] | {"missing": "allowed"}}
        declared = Settings.model_validate(DECLARED.model_dump() | {"features": allowed})
        assert find_defects(applications(**{name: [None, None]}), declared) == {}
        found = find_defects(applications(**{name: [None]}, credit_score=[None], id=[None]), declared)
        assert found == {"north": "NULL or NaN: id: 1 row, credit_score: 1 row; expected none"}


def test_a_number_that_may_be_missing_must_still_be_finite_and_within_its_bounds() -> None:
    features = {name: column.model_dump() | {"missing": "allowed"} for name, column in DECLARED.features.items()}
    declared = Settings.model_validate(DECLARED.model_dump() | {"features": features})
    assert find_defects(applications(income=[math.nan, None]), declared) == {}
    assert "infinite: income: 1 row" in find_defects(applications(income=[None, -math.inf]), declared)["north"]
    assert "outside of the bounds" in find_defects(applications(income=[None, 1000.01]), declared)["north"]


def test_all_defects_of_a_location_are_in_its_sentence_and_no_value_is() -> None:
    bad = applications(income=[None, 31415.9], credit_score=[161, None])
    assert find_defects(bad, DECLARED) == {
        "north": "NULL or NaN: income: 1 row, credit_score: 1 row; expected none. outside of the bounds in "
        "the settings: income (0 to 1,000): 1 row, credit_score (at least 300): 1 row; expected none"
    }


def test_each_location_has_its_own_count() -> None:
    bad = applications(income=[None, 1.0, -1.0, -1.0, 7.0, None])
    assert find_defects(bad, DECLARED) == {
        "it's a \\ 🏦": "NULL or NaN: income: 1 row; expected none",
        "north": "NULL or NaN: income: 1 row; expected none",
        "south": "outside of the bounds in the settings: income (0 to 1,000): 2 rows; expected none",
    }


def test_an_id_in_two_locations_is_a_defect_of_both_because_only_one_score_can_be_kept() -> None:
    sentence = "an id that another application has: id: 1 row; expected none"
    assert find_defects(applications(id=[1, 2, 2, 4, 5, 6]), DECLARED) == {"north": sentence, "south": sentence}


def test_rows_that_came_in_many_pieces_are_judged_as_one_table() -> None:
    bad = applications(income=[None], id=[1, 6])
    pieces = pa.concat_tables([bad.slice(row, 1) for row in range(bad.num_rows)])
    assert pieces.column("id").num_chunks == 6
    assert find_defects(pieces, DECLARED) == find_defects(bad, DECLARED)
    assert set(find_defects(bad, DECLARED)) == {"north", "it's a \\ 🏦"}


def test_settings_without_the_section_are_refused() -> None:
    without = Settings.model_validate({name: part for name, part in SETTINGS.items() if name != "scoring"})
    with pytest.raises(SettingsError, match=r"no section \[scoring\]"):
        find_defects(applications(), without)
