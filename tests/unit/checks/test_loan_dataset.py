"""A check that lets bad loans through trains a model on them; one that stops good loans stops the business.

So each has a dataset that passes, one that fails for its reason and no other, and values on either side of the line.
"""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from credit_assets.checks.loan_dataset.verdicts import DATASET_CHECKS, check_dataset
from credit_assets.checks.verdict import Verdict
from credit_assets.loans.table import arrow_schema
from credit_assets.settings.file import Settings

ROWS = 400
SETTINGS: dict[str, Any] = {
    "table": {"name": "loans"},
    "target": {"column": "default_status"},
    "features": {
        "income": {"type": "number", "minimum": 0, "maximum": 1000},
        "credit_score": {"type": "integer", "minimum": 300, "maximum": 850},
        "purpose": {"type": "category"},
    },
    "personal": {"age": {"type": "integer", "minimum": 18}},
    "limits": {"minimum_rows": 50, "minimum_class_share": 0.05, "maximum_feature_auc": 0.9},
}


def declared(**limits: float) -> Settings:
    return Settings.model_validate(SETTINGS | {"limits": SETTINGS["limits"] | limits})


def loans(rows: int = ROWS, /, **changed: Any) -> pa.Table:
    """Loans whose outcome can't be told from any one column, with some columns replaced."""
    rng = np.random.default_rng(7)
    columns: dict[str, Sequence[Any]] = {
        "id": list(range(1, rows + 1)),
        "created_at": [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(rows)],
        "default_status": [row % 4 == 0 for row in range(rows)],
        "income": rng.uniform(1, 999, rows),
        "credit_score": rng.integers(301, 850, rows),
        "purpose": rng.choice(["car", "house", ""], rows),
        "age": rng.integers(18, 90, rows),
    } | changed
    columns["default_status"] = [None if value is None else int(value) for value in columns["default_status"]]
    schema = arrow_schema(declared())
    return pa.table({field.name: pa.array(columns[field.name], field.type) for field in schema}, schema=schema)


def with_values(column: str, *values: Any) -> pa.Table:
    """Good loans, of which the first few have these values."""
    table = loans()
    replaced = pa.array([*values, *table.column(column).to_pylist()[len(values) :]], table.schema.field(column).type)
    return table.set_column(table.schema.get_field_index(column), table.schema.field(column), replaced)


def failed(table: pa.Table, settings: Settings | None = None) -> dict[str, Verdict]:
    return {each.check: each for each in check_dataset(table, settings or declared()) if not each.passed}


def only(table: pa.Table, check: str, settings: Settings | None = None) -> Verdict:
    """The one check that fails."""
    found = failed(table, settings)
    assert list(found) == [check]
    return found[check]


def outcomes(positives: int, rows: int = ROWS) -> pa.Table:
    """Loans of which so many defaulted, spread evenly."""
    return loans(rows, default_status=[row * positives // rows != (row + 1) * positives // rows for row in range(rows)])


def test_good_loans_pass_every_declared_check() -> None:
    verdicts = check_dataset(loans(), declared())
    assert {each.check for each in verdicts} == set(DATASET_CHECKS)
    assert len(verdicts) == len(DATASET_CHECKS)
    assert all(each.passed for each in verdicts)


def test_a_parquet_file_is_judged_as_the_table_that_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "loans.parquet"
    for table in (loans(), with_values("income", None), loans(0)):
        pq.write_table(table, path)
        assert check_dataset(path, declared()) == check_dataset(table, declared())


def test_without_rows_every_verdict_is_there_and_the_dataset_fails() -> None:
    verdicts = check_dataset(loans(0), declared())
    assert {each.check for each in verdicts} == set(DATASET_CHECKS)
    assert {each.check for each in verdicts if not each.passed} == {"enough_rows", "two_classes"}


@pytest.mark.parametrize(("rows", "passes"), [(49, False), (50, True), (51, True)])
def test_exactly_the_least_number_of_rows_is_enough(rows: int, passes: bool) -> None:
    assert list(failed(loans(rows))) == ([] if passes else ["enough_rows"])


def test_thirty_rows_are_refused_by_the_setting_and_what_was_expected() -> None:
    verdict = only(loans(30), "enough_rows")
    assert verdict.message == "30 rows; expected at least 50 (limits.minimum_rows)"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda table: table.drop_columns(["income"]), "income"),
        (lambda table: table.append_column("postcode", pa.array(["1"] * ROWS)), "postcode"),
        (lambda table: table.set_column(3, "income", table["income"].cast(pa.string())), "income"),
        (lambda table: table.set_column(4, "credit_score", table["credit_score"].cast(pa.int32())), "credit_score"),
        (lambda table: table.set_column(1, "created_at", table["created_at"].cast(pa.timestamp("us"))), "created_at"),
    ],
    ids=["too few", "too many", "text for a number", "another width", "no time zone"],
)
def test_a_missing_an_extra_and_a_wrongly_typed_column_are_reported_by_name(
    change: Callable[[pa.Table], pa.Table], named: str
) -> None:
    (verdict,) = check_dataset(change(loans()), declared())
    assert (verdict.check, verdict.passed) == ("schema", False)
    assert verdict.message == f"columns that differ from the declared ones: {named}"


@pytest.mark.parametrize("column", ["created_at", "income", "credit_score", "purpose", "age"])
def test_a_null_is_found_in_each_kind_of_column(column: str) -> None:
    verdict = only(with_values(column, None, None), "no_nulls")
    advice = (
        "every loan needs it: correct the rows, or name a view without them in table.name"
        if column == "created_at"
        else 'fill them in a view, or write missing = "allowed" in the settings'
    )
    assert verdict.message == f"NULL or NaN: {column}: 2 rows; expected none. {column}: {advice}"


def test_a_null_target_is_no_class_of_its_own_and_no_fault() -> None:
    assert not failed(with_values("default_status", None))
    verdicts = {each.check: each for each in check_dataset(with_values("default_status", None), declared())}
    assert verdicts["known_outcomes"].facts == {"NULL": 1, "too young": 0}
    assert verdicts["two_classes"].facts == {"negatives": 300, "positives": 99, "others": 0}


def test_leakage_is_judged_by_the_loans_with_an_outcome() -> None:
    outcomes = [row % 4 == 0 if row % 2 else None for row in range(ROWS)]
    outcomes[1::8] = [True] * 50
    leaking = [0.0 if value is None else 900.0 * value + 50 for value in outcomes]
    assert "income (1.000)" in only(loans(default_status=outcomes, income=leaking), "no_leakage").message
    incomes = zip(outcomes, loans()["income"].to_pylist(), strict=True)
    without = [900.0 if value is None else income for value, income in incomes]
    assert not failed(loans(default_status=outcomes, income=without)), "no outcome is no repayment"


def test_a_null_id_is_found() -> None:
    message = only(with_values("id", None), "no_nulls").message
    assert "id: 1 row" in message
    assert "allowed" not in message, "the settings can't allow an id to be missing"
    assert set(failed(with_values("id", None, None))) == {"no_nulls", "unique_ids"}


def test_not_a_number_is_no_value_and_an_infinite_one_is_a_defect_of_its_own() -> None:
    assert "income: 1 row" in only(with_values("income", math.nan), "no_nulls").message
    found = failed(with_values("income", math.inf, -math.inf))
    assert set(found) == {"finite_numbers", "ranges"}
    assert found["finite_numbers"].message == (
        "infinite: income: 2 rows; expected none. Correct the rows, or make these values NULL in a view"
    )


def test_an_empty_text_is_a_value() -> None:
    assert not failed(with_values("purpose", "", ""))


@pytest.mark.parametrize(("column", "bounds"), [("income", (0, 1000)), ("credit_score", (300, 850)), ("age", (18,))])
def test_a_value_on_a_bound_is_inside(column: str, bounds: tuple[float, ...]) -> None:
    assert not failed(with_values(column, *bounds))


@pytest.mark.parametrize(
    ("column", "value", "named"),
    [
        ("income", math.nextafter(0, -1), "income (0 to 1,000)"),
        ("income", math.nextafter(1000, math.inf), "income (0 to 1,000)"),
        ("credit_score", 299, "credit_score (300 to 850)"),
        ("credit_score", 851, "credit_score (300 to 850)"),
        ("age", 17, "age (at least 18)"),
    ],
)
def test_the_next_value_beyond_a_bound_is_outside(column: str, value: float, named: str) -> None:
    verdict = only(with_values(column, value), "ranges")
    assert verdict.message == (
        f"outside of the bounds in the settings: {named}: 1 row; expected none. "
        "Correct the rows, or the bounds in the settings"
    )
    assert verdict.facts == {named: 1}


def test_a_column_without_a_bound_takes_any_number() -> None:
    assert not failed(with_values("age", 10**15))


def test_one_repeated_id_is_found_and_not_quoted() -> None:
    verdict = only(with_values("id", 77), "unique_ids")
    assert verdict.message == (
        "id: 1 row repeats an id; expected none. Make the ids unique, or name another column in table.id"
    )


@pytest.mark.parametrize(("positives", "passes"), [(19, False), (20, True), (200, True), (380, True), (381, False)])
def test_the_rarer_class_may_have_exactly_its_least_share(positives: int, passes: bool) -> None:
    assert list(failed(outcomes(positives))) == ([] if passes else ["two_classes"])


@pytest.mark.parametrize("positives", [0, ROWS])
def test_one_class_is_refused_by_the_column_and_both_values(positives: int) -> None:
    verdict = only(outcomes(positives), "two_classes")
    assert verdict.message == (
        f"default_status: {ROWS - positives} rows of 0, {positives} of 1, 0 of anything else; expected two classes, "
        "the rarer at least 5.0% (limits.minimum_class_share) and 2 rows (one for each part of the split)"
    )


def test_a_third_class_is_refused_and_its_value_is_not_quoted() -> None:
    verdict = only(with_values("default_status", 731), "two_classes")
    assert "1 of anything else" in verdict.message
    assert "731" not in verdict.message


@pytest.mark.parametrize(
    ("positives", "folds", "passes"), [(1, 0, False), (2, 0, True), (9, 10, False), (10, 10, True)]
)
def test_every_part_and_every_fold_can_have_a_loan_of_the_rarer_class(positives: int, folds: int, passes: bool) -> None:
    settings = declared(minimum_class_share=0.001, cross_validation_folds=folds, maximum_feature_auc=1.0)
    assert list(failed(outcomes(positives), settings)) == ([] if passes else ["two_classes"])


def outcome() -> np.ndarray:
    return loans().column("default_status").to_numpy()


@pytest.mark.parametrize("sign", [1, -1])
def test_a_numeric_copy_of_the_outcome_is_leakage_whichever_way_it_points(sign: int) -> None:
    noise = np.random.default_rng(1).uniform(0, 0.5, ROWS)
    verdict = only(loans(income=500 + sign * (outcome() + noise)), "no_leakage")
    assert verdict.message == (
        "features that know the outcome: income (1.000); expected an AUC of at most 0.9 "
        "(limits.maximum_feature_auc). Remove from [features] what was not known when the loan was made, or raise the "
        "limit"
    )


def test_a_category_that_stands_for_the_outcome_is_leakage() -> None:
    words = np.where(outcome() == 1, np.resize(["written off", "sold"], ROWS), np.resize(["repaid", "running"], ROWS))
    assert "purpose (1.000)" in only(loans(purpose=words), "no_leakage").message


def test_a_category_that_is_another_for_every_loan_is_no_leakage() -> None:
    assert not failed(loans(purpose=[f"contract {row}" for row in range(ROWS)]))
    assert not failed(loans(purpose=[f"contract {row // 2}" for row in range(ROWS)]))


def test_a_personal_attribute_is_no_feature_and_so_no_leakage() -> None:
    assert not failed(loans(age=20 + outcome()))


def test_an_auc_of_exactly_the_limit_is_no_leakage() -> None:
    exact = 0.5 + 0.5 * 0.75  # three in four defaults stand out: the others tie with everybody
    marked = outcome() * (np.cumsum(outcome()) % 4 != 0)
    assert not failed(loans(income=marked), declared(maximum_feature_auc=exact))
    only(loans(income=marked), "no_leakage", declared(maximum_feature_auc=math.nextafter(exact, 0)))


def test_a_feature_of_one_value_knows_nothing() -> None:
    assert not failed(loans(income=[5.0] * ROWS, purpose=["car"] * ROWS))
