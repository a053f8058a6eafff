"""Loans without an outcome are left out of the training: a join that breaks must not leave out most of them unseen."""

from typing import Any

import pyarrow as pa
import pytest

from credit_assets.checks.loan_dataset.verdicts import check_dataset
from credit_assets.checks.verdict import Verdict
from credit_assets.loans.table import arrow_schema
from credit_assets.settings.file import Settings

OLD = {"matures_after": "12 months"}


def declared(target: dict[str, Any] | None = None, **limits: float) -> Settings:
    return Settings.model_validate(
        {
            "table": {"name": "loans"},
            "target": {"column": "bad"} | (target or {}),
            "features": {"income": {"type": "number"}},
            "limits": {"minimum_rows": 50, "maximum_feature_auc": 1.0} | limits,
        }
    )


def verdicts(settings: Settings, counts: dict[Any, int], too_young: int = 0) -> dict[str, Verdict]:
    """The verdicts on a target with so many of each value."""
    targets = [value for value, count in counts.items() for _ in range(count)]
    rows = range(len(targets))
    columns = {"id": rows, "created_at": [0] * len(rows), "bad": targets, "income": [row % 7 for row in rows]}
    schema = arrow_schema(settings)
    loans = pa.table({name: pa.array(values, schema.field(name).type) for name, values in columns.items()}, schema)
    return {each.check: each for each in check_dataset(loans, settings, too_young)}


def failed(*arguments: Any, **more: Any) -> list[str]:
    return [name for name, verdict in verdicts(*arguments, **more).items() if not verdict.passed]


@pytest.mark.parametrize(("missing", "fails"), [(0, []), (100, []), (101, ["known_outcomes"])])
def test_half_of_the_loans_may_have_no_outcome_and_not_one_more(missing: int, fails: list[str]) -> None:
    assert failed(declared(), {0: 60, 1: 40, None: missing}) == fails


def test_loans_without_an_outcome_are_counted_by_their_reason() -> None:
    verdict = verdicts(declared(OLD), {0: 150, 1: 40, None: 310}, too_young=300)["known_outcomes"]
    assert verdict.passed, "a young book is no broken join"
    assert verdict.message == (
        "bad: NULL in 10 of 200 loans; expected at most 50.0% (limits.maximum_missing_outcome_share); 300 more are "
        "younger than 12 months (target.matures_after). A loan without an outcome is in neither training nor test"
    )
    assert verdict.facts == {"NULL": 10, "too young": 300}


def test_the_share_is_that_of_loans_which_are_old_enough() -> None:
    assert failed(declared(OLD, maximum_missing_outcome_share=0.1), {0: 49, 1: 40, None: 910}, too_young=900) == [
        "known_outcomes"
    ]
    assert failed(declared(OLD, maximum_missing_outcome_share=0.1), {0: 50, 1: 40, None: 910}, too_young=900) == []


def test_without_matures_after_no_loan_is_called_young() -> None:
    assert "younger" not in verdicts(declared(), {0: 50, 1: 50, None: 1})["known_outcomes"].message


def test_only_loans_with_an_outcome_make_the_least_number_of_rows() -> None:
    found = verdicts(declared(), {0: 29, 1: 20, None: 20})
    assert found["enough_rows"].message == "49 rows with an outcome; expected at least 50 (limits.minimum_rows)"
    assert not found["enough_rows"].passed
    assert failed(declared(), {0: 30, 1: 20, None: 20}) == []


def test_the_rarer_class_has_its_share_of_the_loans_with_an_outcome() -> None:
    settings = declared(minimum_class_share=0.1)
    assert failed(settings, {0: 90, 1: 10, None: 100}) == []
    assert failed(settings, {0: 91, 1: 10, None: 100}) == ["two_classes"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_no_bound_can_be_held_to_is_counted_and_not_left_out(value: float) -> None:
    found = verdicts(declared({"at_least": 90}), {0.0: 60, 90.0: 40, value: 3, None: 5})
    assert not found["two_classes"].passed
    assert found["two_classes"].message.startswith(
        "bad: 60 rows of less than 90, 40 of at least 90, 3 of anything else; expected two classes"
    )
    assert found["known_outcomes"].facts["NULL"] == 5


def test_a_book_that_is_too_young_as_a_whole_is_refused() -> None:
    assert failed(declared(OLD), {None: 500}, too_young=500) == ["enough_rows", "two_classes"]
