"""A loan without an outcome that is taken for a repaid one teaches the model that young loans never default."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from credit_assets.loans.columns import (
    find_loans_with_outcome,
    mark_outcomes,
    select_outcomes,
    take_loans_with_outcome,
)
from credit_assets.loans.extraction import read_without_outcome
from credit_assets.settings.file import Settings
from credit_assets.settings.learning.target import Target

NAN, INFINITE = float("nan"), float("inf")


def declared(**target: Any) -> Settings:
    return Settings.model_validate(
        {
            "table": {"name": "loans"},
            "target": {"column": "outcome", **target},
            "features": {"income": {"type": "number"}},
        }
    )


def loans(*values: Any, kind: pa.DataType) -> pa.Table:
    return pa.table({"outcome": pa.array(values, kind), "income": np.arange(len(values), dtype="float64")})


@pytest.mark.parametrize(
    ("target", "kind", "values", "expected"),
    [
        ({}, pa.int64(), [0, 1, None, 2], [False, True, None, None]),
        ({"negative": 1, "positive": 0}, pa.int64(), [0, 1, None], [True, False, None]),
        ({"negative": 0.5}, pa.float64(), [0.5, 1.0, None, NAN, 0.0], [False, True, None, None, None]),
        ({"negative": "ok", "positive": "bad"}, pa.string(), ["ok", "bad", None, ""], [False, True, None, None]),
        ({"negative": False, "positive": True}, pa.string(), ["f", "t", None], [False, True, None]),
        ({"negative": True, "positive": False}, pa.string(), ["f", "t", None], [True, False, None]),
        ({"at_least": 90}, pa.float64(), [89.99, 90, 91, None, NAN, INFINITE], [False, True, True, None, None, None]),
        ({"at_most": 0.5}, pa.float64(), [0.51, 0.5, -1, None, NAN, -INFINITE], [False, True, True, None, None, None]),
    ],
)
def test_every_value_is_a_default_a_repayment_or_no_outcome(
    target: dict[str, Any], kind: pa.DataType, values: list[Any], expected: list[bool | None]
) -> None:
    marks = mark_outcomes(loans(*values, kind=kind).column("outcome"), Target(column="outcome", **target))
    assert marks.to_pylist() == expected


def test_only_loans_with_an_outcome_are_learned_from_and_their_order_stays() -> None:
    table = loans(1, None, 0, None, 1, kind=pa.int64())
    rows = find_loans_with_outcome(table, declared())
    assert rows.tolist() == [0, 2, 4]
    known = take_loans_with_outcome(table, declared())
    assert known == table.take(rows)
    assert select_outcomes(known, declared()).tolist() == [1, 0, 1]


def test_a_table_in_which_every_loan_has_an_outcome_is_not_copied() -> None:
    table = loans(1, 0, kind=pa.int64())
    assert take_loans_with_outcome(table, declared()) is table


def test_a_loan_without_an_outcome_is_never_counted_as_repaid() -> None:
    with pytest.raises(ValueError, match=r"^2 of 3 loans have no outcome; use take_loans_with_outcome first$"):
        select_outcomes(loans(1, None, 7, kind=pa.int64()), declared())


def test_a_dataset_of_the_release_before_is_adopted_without_a_number() -> None:
    counts = {"too young": 3, "NULL": 4}
    assert read_without_outcome({"rows": 10, "without_outcome": counts}) == counts
    assert read_without_outcome({"rows": 10}) == {"too young": 0, "NULL": 0}


@pytest.mark.parametrize("values", [[], [None, None]])
def test_without_any_outcome_there_is_nothing_to_learn_from(values: list[None]) -> None:
    assert find_loans_with_outcome(loans(*values, kind=pa.int64()), declared()).tolist() == []
