"""A test of loans that the model has seen, or that are older than those it learned from, promises too much."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.model_selection import train_test_split

from credit_assets.model.pipeline import TrainingConfig
from credit_assets.model.split import SplitError, cut_test_split, split_rows
from credit_assets.settings.file import Settings

ROWS = 200
CONFIG = TrainingConfig(test_share=0.2)


def declared(by: str) -> Settings:
    return Settings.model_validate(
        {
            "table": {"name": "loans"},
            "target": {"column": "bad"},
            "split": {"by": by},
            "features": {"income": {"type": "number"}},
        }
    )


def loans(days: Any, outcomes: Any = None, ids: Any = None) -> pa.Table:
    """Loans of these days, of which every fourth defaulted, in the order of their ids."""
    times = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=int(day)) for day in days]
    bad = [int(row % 4 == 0) for row in range(len(times))] if outcomes is None else outcomes
    return pa.table(
        {
            "id": list(range(1, len(times) + 1)) if ids is None else ids,
            "created_at": pa.array(times, pa.timestamp("us", "UTC")),
            "bad": pa.array(bad, pa.int64()),
            "income": [1.0] * len(times),
        }
    )


def shuffled() -> pa.Table:
    """Loans whose ids do not rise with their time."""
    return loans(np.random.default_rng(3).permutation(ROWS))


def test_by_lot_the_parts_are_those_of_scikit_learn() -> None:
    table = shuffled()
    split = split_rows(table, declared("random"), CONFIG)
    training, test = train_test_split(
        np.arange(ROWS), test_size=0.2, random_state=CONFIG.random_state, stratify=table.column("bad").to_numpy()
    )
    assert split.training.tolist() == sorted(training)
    assert split.held_out.tolist() == split.test.tolist() == sorted(test)
    assert split.random_test is None
    assert split.facts == {"rows": 40}


def test_by_time_the_newest_loans_are_the_test_and_others_are_drawn_beside_them() -> None:
    table = shuffled()
    split = split_rows(table, declared("time"), CONFIG)
    assert split.random_test is not None
    times = table.column("created_at").to_numpy()
    assert len(split.test) == 40
    assert times[split.test].min() > max(times[split.training].max(), times[split.random_test].max())
    assert sorted([*split.training, *split.test, *split.random_test]) == list(range(ROWS))
    assert len(split.random_test) == 32, "a fifth of the older loans"
    bad = table.column("bad").to_numpy()
    assert abs(bad[split.random_test].mean() - bad[split.training].mean()) < 0.02
    assert all((np.diff(part) > 0).all() for part in (split.training, split.test, split.random_test))


def test_both_parts_of_a_stored_test_split_are_found_again() -> None:
    table = shuffled()
    for by in ("random", "time"):
        split = split_rows(table, declared(by), CONFIG)
        test, random_test = cut_test_split(table.take(split.held_out), split.facts)
        assert test.column("id").to_pylist() == (split.test + 1).tolist()
        drawn = None if random_test is None else random_test.column("id").to_pylist()
        assert drawn == (None if split.random_test is None else (split.random_test + 1).tolist())
        assert split.facts["rows"] == len(split.held_out)


@pytest.mark.parametrize("ids", [range(1, 51), [f"id-{number:02}" for number in range(50)]], ids=["numbers", "texts"])
def test_of_loans_of_one_time_those_with_the_greatest_ids_are_the_newest(ids: Any) -> None:
    table = loans([0] * 35 + [1] * 15, ids=list(ids))
    backwards = table.take(list(range(49, -1, -1)))
    split = split_rows(table, declared("time"), CONFIG)
    assert split.test.tolist() == list(range(40, 50))
    turned = split_rows(backwards, declared("time"), CONFIG)
    assert sorted(backwards.take(turned.test).column("id").to_pylist()) == list(ids)[40:]


@pytest.mark.parametrize("by", ["random", "time"])
def test_a_loan_without_an_outcome_is_in_no_part(by: str) -> None:
    table = loans(range(ROWS), outcomes=[None if row % 5 == 4 else int(row % 4 == 0) for row in range(ROWS)])
    split = split_rows(table, declared(by), CONFIG)
    used = sorted([*split.training, *split.held_out])
    assert used == [row for row in range(ROWS) if row % 5 != 4]
    assert len(split.test) == 32, "a fifth of the loans with an outcome"


def test_the_share_of_the_newest_loans_is_rounded_up_as_that_of_a_random_split() -> None:
    table = loans(range(51))
    sizes = {by: len(split_rows(table, declared(by), CONFIG).test) for by in ("random", "time")}
    assert sizes == {"random": 11, "time": 11}


def test_older_loans_of_one_class_are_refused_in_a_sentence() -> None:
    table = loans(range(100), outcomes=[int(row == 3 or row >= 80) for row in range(100)])
    message = "of 80 older loans with an outcome, 1 are of the rarer class; expected at least 2, one for each part"
    with pytest.raises(SplitError, match=message):
        split_rows(table, declared("time"), CONFIG)
    assert split_rows(table, declared("random"), CONFIG).facts == {"rows": 20}
