"""A split by time that is none, or a test of the newest loans without a default, gives figures that mean nothing."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from credit_assets.checks.training import check_split
from credit_assets.settings.file import Settings

SETTINGS = Settings.model_validate(
    {
        "table": {"name": "loans"},
        "target": {"column": "bad"},
        "split": {"by": "time"},
        "features": {"income": {"type": "number"}},
    }
)


def part(first: int, last: int, *, day: int | None = None, bad: int | None = None) -> pa.Table:
    """Loans with these ids, each of the day of its id or all of one day, of which every fourth defaulted."""
    ids = list(range(first, last + 1))
    times = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number if day is None else day) for number in ids]
    outcomes = [int(number % 4 == 0) if bad is None else bad for number in ids]
    return pa.table({"id": ids, "created_at": pa.array(times, pa.timestamp("us", "UTC")), "bad": outcomes})


def failures(train: pa.Table, test: pa.Table, random_test: pa.Table | None) -> dict[str, str]:
    return {each.check: each.message for each in check_split(train, test, random_test, SETTINGS) if not each.passed}


def test_the_newest_loans_beside_a_random_split_of_the_others_pass() -> None:
    assert failures(part(1, 80), part(101, 120), part(81, 100)) == {}


def test_without_a_split_by_time_there_is_nothing_to_hold_it_to() -> None:
    assert failures(part(1, 80), part(81, 100, day=0), None) == {}


def test_a_loan_of_the_random_test_in_the_training_is_found() -> None:
    assert failures(part(1, 80), part(101, 120), part(77, 96)) == {
        "disjoint": "4 of 40 test loans are in the training part too"
    }


def test_loans_of_one_time_cannot_be_split_by_it() -> None:
    found = failures(part(1, 80, day=5), part(101, 120, day=5), part(81, 100, day=5))
    assert list(found) == ["out_of_time"]
    assert found["out_of_time"] == (
        "created_at: the newest loans are as old as others; a split by time needs different times. Correct the column, "
        'or write by = "random" in [split]'
    )


def test_an_older_loan_may_be_of_the_time_of_the_first_new_one_and_not_later() -> None:
    assert failures(part(1, 80), part(101, 120), part(81, 100, day=101)) == {}
    assert list(failures(part(1, 80), part(101, 120), part(81, 100, day=102))) == ["out_of_time"]


def test_newest_loans_of_one_class_are_refused_with_a_way_out() -> None:
    for bad in (0, 1):
        found = failures(part(1, 80), part(101, 120, bad=bad), part(81, 100))
        assert list(found) == ["out_of_time"]
        assert found["out_of_time"].startswith(f"{bad * 20} of the 20 newest loans defaulted; expected both classes")
        assert "set target.matures_after" in found["out_of_time"]
