"""One bad segment must cost no other its price, and no rate may jump before a person has looked at it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from credit_assets.pricing.decisions import (
    BAD_SCORES,
    JUMP,
    TOO_FEW,
    TOO_OLD,
    UNKNOWN_SEGMENT,
    Priced,
    PublishedPrice,
    Superseded,
    Unpriced,
    decide_segment,
    decide_segments,
)
from credit_assets.pricing.segments import SegmentScores
from credit_assets.settings.pricing import Pricing

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
# The mean is 0.1, and the rate 0.04 + 0.1 * 0.5.
GOOD = SegmentScores("north", scores=20, total=2.0, oldest=NOON - timedelta(hours=1))


def refuse(found: SegmentScores, published: float | None, pricing: Pricing) -> Unpriced:
    decision = decide_segment(found, published, pricing, NOON)
    assert isinstance(decision, Unpriced)
    assert decision.published == published
    return decision


def test_the_first_rate_of_a_segment_is_no_jump(pricing: Pricing) -> None:
    decision = decide_segment(GOOD, None, pricing, NOON)
    assert decision == Priced("north", 0.09, None, 20, 0.1, NOON - timedelta(hours=1))


@pytest.mark.parametrize("published", [0.07, 0.09, 0.11])
def test_a_rate_may_move_by_the_whole_step_up_and_down(pricing: Pricing, published: float) -> None:
    decision = decide_segment(GOOD, published, pricing, NOON)
    assert isinstance(decision, Priced)
    assert (decision.rate, decision.published, decision.is_accepted_jump) == (0.09, published, False)


@pytest.mark.parametrize("published", [0.069999, 0.110001])
def test_a_rate_that_moves_further_is_refused_and_the_person_is_told_how_to_accept_it(
    pricing: Pricing, published: float
) -> None:
    decision = refuse(GOOD, published, pricing)
    assert (decision.cause, decision.refused_rate) == (JUMP, 0.09)
    for said in ("9.00 %", "at most 2.00 %", "pricing.maximum_step", "accept_jumps"):
        assert said in decision.message
    accepted = decide_segment(GOOD, published, pricing, NOON, accepts_jump=True)
    assert isinstance(accepted, Priced)
    assert (accepted.rate, accepted.is_accepted_jump) == (0.09, True)


@pytest.mark.parametrize(("total", "bound"), [(20.0, "maximum_rate"), (0.0, "minimum_rate")])
def test_a_jump_to_a_bound_names_the_bound_and_another_jump_names_none(
    pricing: Pricing, total: float, bound: str
) -> None:
    assert f"(pricing.{bound}), a step of" in refuse(replace(GOOD, total=total), 0.15, pricing).message
    assert "_rate)" not in refuse(GOOD, 0.15, pricing).message


def test_who_accepts_jumps_accepts_nothing_else(pricing: Pricing) -> None:
    few = replace(GOOD, scores=9)
    decision = decide_segment(few, 0.2, pricing, NOON, accepts_jump=True)
    assert isinstance(decision, Unpriced)
    small = decide_segment(GOOD, 0.09, pricing, NOON, accepts_jump=True)
    assert isinstance(small, Priced)
    assert not small.is_accepted_jump


def test_too_few_scores_price_nothing_and_the_least_number_does(pricing: Pricing) -> None:
    assert isinstance(decide_segment(replace(GOOD, scores=10), None, pricing, NOON), Priced)
    decision = refuse(replace(GOOD, scores=9), 0.09, pricing)
    assert decision.cause == TOO_FEW
    assert decision.message == "it has 9 scores; expected at least 10 (pricing.minimum_scores)"
    assert refuse(SegmentScores("north"), None, pricing).message.startswith("it has 0 scores")


def test_scores_that_are_too_old_are_told_apart_from_too_few(pricing: Pricing) -> None:
    old = SegmentScores("north", scores=3, total=0.3, outdated=40, last_outdated=NOON - timedelta(hours=14.2))
    decision = refuse(old, 0.09, pricing)
    assert decision.cause == TOO_OLD
    for said in ("3 of 43 scores", "within 7 hours (pricing.maximum_age_hours)", "14.2 hours old"):
        assert said in decision.message


def test_old_scores_beside_enough_new_ones_are_no_problem(pricing: Pricing) -> None:
    beside = replace(GOOD, outdated=40, last_outdated=NOON - timedelta(hours=14))
    assert isinstance(decide_segment(beside, None, pricing, NOON), Priced)


def test_scores_that_are_no_probability_price_nothing(pricing: Pricing) -> None:
    bad = replace(GOOD, total=float("nan"), unusable=1, unusable_in=("branch-0002", "branch-0007"))
    decision = refuse(bad, None, pricing)
    assert decision.cause == BAD_SCORES
    assert "1 of 20 scores" in decision.message
    assert decision.message.endswith("Score again: branch-0002, branch-0007")


def test_a_bad_segment_fails_alone_and_so_does_one_that_no_location_has(pricing: Pricing) -> None:
    known = {"north": GOOD, "south": SegmentScores("south"), "west": replace(GOOD, segment="west")}
    decisions = decide_segments(["north", "south", "nowhere", "west"], known, {}, pricing, NOON, ())
    assert [type(each) for each in decisions] == [Priced, Unpriced, Unpriced, Priced]
    assert [each.cause for each in decisions if isinstance(each, Unpriced)] == [TOO_FEW, UNKNOWN_SEGMENT]


def test_a_price_of_later_scores_stays_and_is_no_failure(pricing: Pricing) -> None:
    later = PublishedPrice(0.2, NOON + timedelta(seconds=1))
    decisions = decide_segments(["north"], {"north": GOOD}, {"north": later}, pricing, NOON, ["north"])
    assert decisions == [Superseded("north", 0.2)]


def test_only_the_segments_that_a_person_named_may_jump(pricing: Pricing) -> None:
    known = {name: replace(GOOD, segment=name) for name in ("north", "south")}
    published = {name: PublishedPrice(0.2, NOON - timedelta(hours=1)) for name in known}
    decisions = decide_segments(["north", "south"], known, published, pricing, NOON, ["south"])
    assert [type(each) for each in decisions] == [Unpriced, Priced]
