"""A failure that the benchmark takes for known before it was is found by nobody, until its partition is asked for."""

import math

import dagster as dg
import pytest

from bench.timing.children import ProcessResult
from bench.waves.failing_waves import compute_slowest_naming, find_namings
from bench.waves.failures import WAVES, tabulate_failures
from credit_assets.operations.page import make_table
from resources.history.facts import committed_items

KEY = dg.AssetKey("wave")


def name_failed(*locations: str) -> dict[str, dg.TableMetadataValue]:
    return {"failed locations": make_table([{"location": each} for each in locations])}


FACTS = [
    (10.0, committed_items(KEY, "locations", 2, 4)),
    (10.5, dg.AssetObservation(KEY, metadata=name_failed("a"))),
    (12.0, committed_items(KEY, "locations", 4, 4)),
    (12.5, dg.AssetObservation(KEY, metadata=name_failed("a", "c"))),
    (13.0, dg.AssetMaterialization(KEY, metadata=name_failed("a", "c"))),
]
LOCATIONS = ["a", "b", "c", "d"]


def test_a_location_is_named_when_the_page_names_it_for_the_first_time() -> None:
    assert find_namings(FACTS) == {"a": 10.5, "c": 12.5}


def test_the_slowest_naming_counts_from_the_start_of_its_chunk() -> None:
    assert compute_slowest_naming(FACTS, LOCATIONS, ["a"]) == 0.5
    assert compute_slowest_naming(FACTS, LOCATIONS, ["a", "c"]) == 2.5


def test_a_location_that_no_page_names_counts_until_the_report_at_the_end() -> None:
    assert compute_slowest_naming(FACTS, LOCATIONS, ["b"]) == 3.0


def results(**failing: float) -> dict[str, list[ProcessResult]]:
    figures = {"planned": 40, "failed": 4, "on_page": 4, "seconds": 8.0, "named_after": 1.0, "red_after": 0.2} | failing
    none = {"planned": 40, "failed": 0, "on_page": 0, "seconds": 8.0, "named_after": math.nan, "red_after": math.nan}
    return {name: [ProcessResult(9.0, 2e8, figures if name == "failing" else none)] for name in WAVES}


@pytest.mark.parametrize(
    ("failing", "missed"),
    [({}, 0), ({"seconds": 8.81}, 1), ({"named_after": 5.1}, 1), ({"red_after": 5.1, "named_after": 6.0}, 2)],
)
def test_a_wave_that_takes_longer_or_names_a_failure_late_misses_a_goal(failing: dict[str, float], missed: int) -> None:
    goals = tabulate_failures(results(**failing), 40, 1).goals
    assert [goal.is_met for goal in goals].count(False) == missed
