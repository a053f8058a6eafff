"""A trap that we fell into ourselves would be praised in the documentation as one that we avoid."""

from collections.abc import Callable, Mapping

import pytest

from bench.traps.losses import measure_places
from bench.traps.ranges import measure_runs
from bench.traps.reading import measure_log, measure_status
from bench.traps.recording import measure_recording
from bench.traps.states import measure_green, measure_red


@pytest.mark.parametrize("way", ["stock", "ours"])
@pytest.mark.parametrize(
    ("measure", "figure", "trapped"),
    [
        (measure_green, "wrongly_green", 1),
        (measure_red, "not_red", 1),
        (lambda way, count: measure_places(way, count, patience=0), "still_taken", 10),
    ],
)
def test_stock_dagster_falls_into_the_trap_and_we_do_not(
    database_url, monkeypatch, measure: Callable[[str, int], Mapping[str, float]], figure: str, trapped: int, way: str
) -> None:
    monkeypatch.setenv("PLATFORM_HISTORY_URL", database_url)
    monkeypatch.setenv("DAGSTER_HOME", "")  # so that it is put back
    assert measure(way, 10) == {figure: trapped if way == "stock" else 0}


def test_we_repeat_scattered_partitions_in_one_run_over_one_connection(database_url, monkeypatch) -> None:
    monkeypatch.setenv("PLATFORM_HISTORY_URL", database_url)
    monkeypatch.setenv("DAGSTER_HOME", "")
    assert measure_runs("ours", 5) == {"runs": 1}
    assert measure_recording("ours", 20)["connections"] <= 1


@pytest.mark.parametrize("way", ["stock", "ours"])
def test_the_reading_of_a_run_and_of_all_states_is_timed_both_ways(database_url, monkeypatch, way: str) -> None:
    monkeypatch.setenv("PLATFORM_HISTORY_URL", database_url)
    monkeypatch.setenv("DAGSTER_HOME", "")
    assert measure_log(way, 20)["log_s"] > 0
    assert measure_status(way, 20)["status_s"] > 0
