"""A range that is too narrow refuses the loans of tomorrow, and one that is exact may show a person's own number."""

from typing import Any

from credit_assets.inspection.declarations import describe_range


def test_an_end_of_a_range_is_exact_only_if_many_rows_have_it() -> None:
    assert describe_range(0.0, 4.0, {4.0}) == "0 to 4"
    assert describe_range(0.0, 4.0) == "0 to 5"
    assert describe_range(19.0, 75.0) == "10 to 80"
    assert describe_range(20.0, 75.0, {75.0}) == "10 to 75"
    assert describe_range(-30.0, 0.0, {-30.0}) == "-30 to 0"
    assert describe_range(-30.0, -4.0) == "-40 to 0"
    assert describe_range(0.12, 0.5) == "0.10 to 0.60"
    assert describe_range(1234.0, 98_765.0) == "1,000 to 99,000"


def test_what_was_seen_lies_within_the_proposed_bounds() -> None:
    assert describe_range(0.0, 1.0) == "0 to 2"
    assert describe_range(-1.0, 1.0) == "-2 to 2"
    assert describe_range(0.0, 60.0) == "0 to 70"
    assert describe_range(-0.001, 1000.0) == "-0.002 to 2,000"


def test_an_infinite_number_is_no_bound_of_a_draft(facts: Any) -> None:
    found = facts("income", "numeric", [1.5, float("inf"), float("-inf"), float("nan"), None, 7.25])
    assert (found.low, found.high, found.missing, found.infinite) == (1.5, 7.25, 2, 2)
