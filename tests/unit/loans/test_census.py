"""A census that can't tell a lacking loan from none hides it; one that can't be compared must not look like none."""

import random
from dataclasses import replace
from typing import Any

import pytest

from credit_assets.loans.census import BUCKETS, Census, CensusError, Difference, compare, summarize_census
from credit_assets.loans.counting import Limit
from tests.support.histories.lender import BEGAN, Lender, Loan, count


def take(loans: list[Loan]) -> Census:
    return count(loans, Limit(BEGAN), BEGAN).census


@pytest.fixture
def loans() -> list[Loan]:
    return Lender(random.Random(3), has_uuids=True).make_loans(6_000)


def test_equal_tables_differ_in_nothing(loans: list[Loan]) -> None:
    assert compare(take(loans), 6_000, take(loans)) == Difference(0, 0, 0, is_estimate=False)


def test_loans_that_came_late_are_counted_exactly_if_none_is_gone(loans: list[Loan]) -> None:
    difference = compare(take(loans[:4_321]), 4_321, take(loans))
    assert difference == Difference(1_679, 0, difference.changed, is_estimate=False)


def test_loans_that_are_gone_are_no_loans_that_are_lacking(loans: list[Loan]) -> None:
    difference = compare(take(loans), 6_000, take(loans[:5_000]))
    assert (difference.lacking, difference.gone, difference.is_estimate) == (0, 1_000, False)


def test_one_repaired_loan_is_a_change_and_neither_gone_nor_lacking(loans: list[Loan]) -> None:
    repaired = [replace(loans[0], income=loans[0].income + 1), *loans[1:]]
    assert compare(take(loans), 6_000, take(repaired)) == Difference(0, 0, 1, is_estimate=False)


def test_a_table_of_other_loans_with_fewer_rows_is_estimated_within_five_percent(loans: list[Loan]) -> None:
    difference = compare(take(loans[:3_500]), 3_500, take(loans[3_500:]))
    assert difference.is_estimate
    assert difference.lacking == pytest.approx(2_500, rel=0.05)
    assert difference.gone == difference.lacking + 1_000


def test_a_dataset_without_a_census_is_compared_by_its_rows_and_knows_no_changes(loans: list[Loan]) -> None:
    found = take(loans)
    assert compare(None, 5_990, found) == Difference(10, 0, None)
    assert compare(None, 6_007, found) == Difference(0, 7, None)
    other_zone = replace(found, keys="of another zone", counts=(0,) * BUCKETS)
    assert compare(other_zone, 5_990, found) == Difference(10, 0, None)


def test_other_columns_make_changes_unknown_and_leave_the_counts(loans: list[Loan]) -> None:
    held = replace(take(loans[1:]), contents="of other columns")
    assert compare(held, 5_999, take(loans)) == Difference(1, 0, None)


def test_the_facts_of_a_dataset_hold_the_census_in_a_few_kilobytes(loans: list[Loan]) -> None:
    census = take(loans)
    facts = census.to_facts()
    assert Census.from_facts(facts) == census
    assert len(str(facts)) < 6_000
    full = replace(census, counts=tuple(random.Random(1).randrange(40_000, 60_000) for _ in range(BUCKETS)))
    assert len(str(full.to_facts())) < 14_000


@pytest.mark.parametrize(
    "facts",
    [
        {},
        "text",
        ["keys"],
        {"keys": "a", "contents": "b"},
        {"keys": "a", "contents": "b", "buckets": "?"},
        {"keys": "a", "contents": "b", "buckets": "AAAA"},
    ],
)
def test_a_census_of_another_form_is_unreadable_and_not_taken_for_none(facts: Any) -> None:
    with pytest.raises(CensusError, match="Materialize loan_dataset again"):
        Census.from_facts(facts)


def test_people_are_shown_the_number_of_loans_and_a_short_digest_and_no_buckets(loans: list[Loan]) -> None:
    facts, fewer = take(loans).to_facts(), take(loans[1:]).to_facts()
    assert summarize_census(facts).startswith("6,000 loans, sha256 ")
    assert len(summarize_census(facts)) < 60
    assert summarize_census(facts).split()[-1] != summarize_census(fewer).split()[-1]
    assert "can't be read" in summarize_census({"buckets": "of another release"})
