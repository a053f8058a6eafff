"""Old scores that count make a rate of last week's risk, and one location that was not scored must delay no other."""

from datetime import UTC, datetime, timedelta

import pytest

from credit_assets.applications.newest_scores import LocationSum
from credit_assets.pricing.segments import SegmentScores, sum_by_segment

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def sums(location: str, scores: int = 10, mean: float = 0.1, hours: float = 1, unusable: int = 0) -> LocationSum:
    return LocationSum(location, scores, scores * mean, unusable, NOON - timedelta(hours=hours))


def test_the_scores_of_all_locations_of_a_segment_count_by_their_number() -> None:
    found = sum_by_segment({"a": "north", "b": "north", "c": "south"}, [sums("a", 30), sums("b", 10, 0.5)], NOON, 7)
    assert list(found) == ["north", "south"]
    assert (found["north"].scores, found["north"].total) == (40, pytest.approx(30 * 0.1 + 10 * 0.5))
    assert found["north"].oldest == NOON - timedelta(hours=1)
    assert found["south"] == SegmentScores("south")


def test_a_location_with_old_scores_counts_with_none_of_them_and_the_others_with_all() -> None:
    found = sum_by_segment({"a": "north", "b": "north"}, [sums("a", hours=7), sums("b", 5, hours=7.001)], NOON, 7)
    assert (found["north"].scores, found["north"].outdated) == (10, 5)
    assert found["north"].oldest == NOON - timedelta(hours=7)
    assert found["north"].last_outdated == NOON - timedelta(hours=7.001)


def test_scores_of_a_location_that_has_left_or_has_no_segment_count_nowhere() -> None:
    found = sum_by_segment({"a": None, "b": "south"}, [sums("a"), sums("gone"), sums("b", 3)], NOON, 7)
    assert {name: each.scores for name, each in found.items()} == {"south": 3}


def test_scores_that_are_no_probability_are_counted_unless_they_are_too_old() -> None:
    segments = {"a": "north", "b": "south"}
    found = sum_by_segment(segments, [sums("a", unusable=2), sums("b", unusable=3, hours=8)], NOON, 7)
    assert (found["north"].unusable, found["south"].unusable) == (2, 0)
