"""A column that is suddenly empty trains a model that knows less, and no error says so.

A column whose gaps tell the outcome looks harmless: its values alone do not. So shares of missing values have limits,
and gaps are ranked like values.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from credit_assets.checks.loan_dataset.leakage import FEWEST, compute_auc_alone
from credit_assets.checks.loan_dataset.missing import MissingInUse, describe_missing_in_use
from credit_assets.checks.loan_dataset.verdicts import DATASET_CHECKS, check_dataset
from credit_assets.checks.verdict import Verdict
from credit_assets.loans.table import arrow_schema
from credit_assets.settings.file import Settings

ROWS = 1_000
OUTCOME = np.arange(ROWS) % 4 == 0


def declare(**limits: float) -> Settings:
    allowed = {"missing": "allowed"}
    return Settings.model_validate(
        {
            "table": {"name": "loans"},
            "target": {"column": "default_status"},
            "features": {
                "income": {"type": "number", "minimum": 0} | allowed,
                "credit_score": {"type": "integer"} | allowed,
                "purpose": {"type": "category"} | allowed,
                "loan_amount": {"type": "number"},
            },
            "personal": {"sex": {"type": "category"} | allowed},
            "limits": {"minimum_rows": 50, **limits},
        }
    )


def make_loans(rows: int = ROWS, **lacking: int) -> pa.Table:
    """Loans of which so many, drawn by lot, have no value in these columns."""
    rng = np.random.default_rng(11)
    columns: dict[str, Any] = {
        "id": range(rows),
        "created_at": [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=row) for row in range(rows)],
        "default_status": OUTCOME[:rows].astype(int),
        "income": rng.uniform(1, 999, rows),
        "credit_score": rng.integers(301, 850, rows),
        "purpose": rng.choice(["car", "house"], rows),
        "loan_amount": rng.uniform(1, 999, rows),
        "sex": rng.choice(["f", "m"], rows),
    }
    gaps = {name: set(rng.permutation(rows)[:count].tolist()) for name, count in lacking.items()}
    schema = arrow_schema(declare())
    arrays = [
        pa.array([None if row in gaps.get(each.name, ()) else value for row, value in enumerate(columns[each.name])])
        for each in schema
    ]
    return pa.table([each.cast(field.type) for each, field in zip(arrays, schema, strict=True)], schema=schema)


def check(table: pa.Table, in_use: MissingInUse | None = None, **limits: float) -> dict[str, Verdict]:
    """The verdicts by their checks."""
    return {each.check: each for each in check_dataset(table, declare(**limits), missing_in_use=in_use)}


def failed(table: pa.Table, in_use: MissingInUse | None = None, **limits: float) -> list[str]:
    return [name for name, verdict in check(table, in_use, **limits).items() if not verdict.passed]


def test_declared_columns_may_lack_values_and_all_checks_give_a_verdict() -> None:
    verdicts = check(make_loans(income=200, credit_score=1, purpose=300, sex=400))
    assert verdicts.keys() == DATASET_CHECKS.keys()
    assert all(each.passed for each in verdicts.values())
    assert verdicts["missing_share"].facts == {"income": 0.2, "credit_score": 0.001, "purpose": 0.3, "sex": 0.4}
    assert "income: 20.0%, credit_score: 0.1%, purpose: 30.0%, sex: 40.0%" in verdicts["missing_share"].message


@pytest.mark.parametrize("column", ["loan_amount", "id", "created_at"])
def test_a_column_that_does_not_declare_it_stays_strict(column: str) -> None:
    verdicts = check(make_loans(income=200, **{column: 1}))
    assert not verdicts["no_nulls"].passed
    assert verdicts["no_nulls"].facts == {column: 1}
    assert "income" not in verdicts["no_nulls"].message


def test_nan_is_missing_and_infinity_is_not() -> None:
    table = make_loans()
    values = [float("nan"), None, *table.column("income").to_pylist()[2:]]
    at = table.schema.get_field_index("income")
    verdicts = check(table.set_column(at, table.schema.field(at), pa.array(values)))
    assert verdicts["no_nulls"].passed
    assert verdicts["missing_share"].facts["income"] == 0.002
    infinite = table.set_column(at, table.schema.field(at), pa.array([float("inf"), *values[1:]]))
    verdicts = check(infinite)
    assert verdicts["finite_numbers"].message == (
        "infinite: income: 1 row; expected none. Correct the rows, or make these values NULL in a view"
    )
    assert verdicts["missing_share"].facts["income"] == 0.001


@pytest.mark.parametrize(("lacking", "passes"), [(950, True), (951, False), (1000, False)])
def test_a_column_that_is_nearly_always_empty_is_no_feature(lacking: int, passes: bool) -> None:
    table = make_loans(income=lacking)
    assert failed(table) == ([] if passes else ["missing_share"])
    if not passes:
        message = check(table)["missing_share"].message
        assert message.startswith(f"missing values: income: {lacking / 10:.1f}%; expected at most 95.0% (limits.")
        assert "credit_score" not in message


def test_the_limit_of_the_share_is_a_setting_and_a_column_without_any_value_is_never_allowed() -> None:
    assert failed(make_loans(income=200), maximum_missing_share=0.2) == []
    assert failed(make_loans(income=201), maximum_missing_share=0.2) == ["missing_share"]
    with pytest.raises(ValueError, match="maximum_missing_share"):
        declare(maximum_missing_share=1)


@pytest.mark.parametrize(("before", "passes"), [(0.3, True), (0.301, False), (0.1, True), (0.099, False), (0.2, True)])
def test_a_share_may_move_by_exactly_the_limit_in_either_direction(before: float, passes: bool) -> None:
    in_use = MissingInUse(7, {"income": before})
    assert failed(make_loans(income=200), in_use) == ([] if passes else ["missing_drift"])


def test_a_share_that_moved_is_named_with_both_shares_and_the_promotion() -> None:
    in_use = MissingInUse(7, {"income": 0.05, "credit_score": 0.2, "purpose": 0.01, "sex": 0.0})
    verdict = check(make_loans(income=200, credit_score=210, purpose=5), in_use)["missing_drift"]
    assert verdict.message.startswith(
        "missing values in the dataset of promotion 7, which is in use, and now: income: 5.0%, now 20.0%; expected a "
        "difference of at most 10.0% (limits.maximum_missing_drift). "
    )
    assert verdict.facts == {"income": 0.15, "credit_score": 0.01, "purpose": -0.005, "sex": 0.0}
    assert not failed(make_loans(income=200), in_use, maximum_missing_drift=0.2)


def test_without_a_model_in_use_the_check_says_so_and_passes() -> None:
    verdict = check(make_loans(income=200))["missing_drift"]
    assert verdict.passed
    assert verdict.message == "no model is in use, so that there is no dataset to compare with"


def test_a_column_that_was_strict_until_now_is_named_as_not_compared() -> None:
    in_use = describe_missing_in_use(3, {"rows": 1_000, "missing": {"income": 200}})
    verdict = check(make_loans(income=200, purpose=900), in_use)["missing_drift"]
    assert verdict.passed
    assert verdict.message.endswith("Not compared, because no value could be missing then: credit_score, purpose, sex")


def test_a_dataset_from_before_missing_values_were_counted_has_none_to_compare_with() -> None:
    assert describe_missing_in_use(3, {"rows": 1_000}) == MissingInUse(3, {})
    assert describe_missing_in_use(3, {"rows": 0, "missing": {"income": 0}}) == MissingInUse(3, {"income": 0.0})


def test_settings_that_allow_no_missing_value_have_nothing_to_compare() -> None:
    strict = declare().model_dump()
    for name in ("income", "credit_score", "purpose"):
        strict["features"][name].pop("missing")
    strict["personal"]["sex"].pop("missing")
    verdicts = {each.check: each for each in check_dataset(make_loans(), Settings.model_validate(strict))}
    for name in ("missing_share", "missing_drift"):
        assert verdicts[name].passed
        assert "no column may have missing values" in verdicts[name].message


def rank(values: list[Any]) -> float:
    kind = pa.string() if any(isinstance(value, str) for value in values) else pa.float64()
    return compute_auc_alone(pa.chunked_array([values], kind), OUTCOME)


def test_gaps_that_tell_the_outcome_are_leakage_whatever_the_values_are() -> None:
    rng = np.random.default_rng(2)
    numbers = [None if defaulted else value for defaulted, value in zip(OUTCOME, rng.random(ROWS), strict=True)]
    texts = ["asked" if defaulted else None for defaulted in OUTCOME]
    assert rank(numbers) == rank(texts) == 1
    table = make_loans()
    for name, values in (("income", numbers), ("purpose", texts)):
        at = table.schema.get_field_index(name)
        verdicts = check(table.set_column(at, table.schema.field(at), pa.array(values)))
        assert f"{name} (1.000)" in verdicts["no_leakage"].message
        assert not verdicts["no_leakage"].passed


def test_values_that_tell_the_outcome_are_leakage_although_half_of_them_are_missing_by_lot() -> None:
    rng = np.random.default_rng(2)
    known = rng.random(ROWS) < 0.5
    copied = [float(defaulted) if is_known else None for defaulted, is_known in zip(OUTCOME, known, strict=True)]
    assert rank(copied) == 1


def test_gaps_and_values_by_lot_are_no_leakage() -> None:
    rng = np.random.default_rng(2)
    assert rank([None if gap else value for gap, value in rng.random((ROWS, 2)).round().tolist()]) < 0.6


def test_a_handful_of_values_that_rank_all_by_chance_is_no_leakage() -> None:
    few = np.flatnonzero(OUTCOME)[: FEWEST - 1].tolist() + np.flatnonzero(~OUTCOME)[:FEWEST].tolist()
    assert rank([float(OUTCOME[row]) if row in few else None for row in range(ROWS)]) < 0.6
    enough = [*few, int(np.flatnonzero(OUTCOME)[FEWEST])]
    assert rank([float(OUTCOME[row]) if row in enough else None for row in range(ROWS)]) == 1
