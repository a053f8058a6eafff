"""A benchmark that counts calls that were not answered would call a service that is down cheap."""

import math

import pytest

from bench.waves.slow_service import measure_slow_service, measure_waiting


def test_all_calls_are_answered_and_the_table_has_their_costs() -> None:
    (table,) = measure_slow_service(calls=20, seconds=1)
    assert "20 calls at once to a service that answers in 1 s" in str(table)
    (row,) = table.rows
    took, _, share, _, memory, threads = row.figures
    assert took is not None
    assert took >= 1
    assert all(figure is not None and figure >= 0 for figure in (share, memory))
    assert threads is not None
    assert threads < 5
    assert len(table.goals) == 2


def test_the_time_while_it_waits_is_that_of_the_middle_and_unknown_without_one() -> None:
    ticks = [(0.1, 0.5), (1.0, 1.0), (2.0, 1.01), (3.0, 1.02), (3.9, 9.0)]
    assert measure_waiting(ticks, seconds=4) == pytest.approx(0.01)
    assert math.isnan(measure_waiting(ticks[:1], seconds=4))
