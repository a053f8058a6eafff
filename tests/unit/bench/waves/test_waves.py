"""A table that compares unlike numbers of locations, or hides a missed goal, praises what nobody measured."""

from bench.timing.children import ProcessResult
from bench.waves.comparison import CONTENDERS, tabulate


def results(**seconds: float) -> dict[str, list[ProcessResult]]:
    measured = {"wave": 8.0, "script": 6.0, "range": 60.0, "single": 100.0} | seconds
    return {
        name: [ProcessResult(each, 200e6, {"seconds": each, "processor_seconds": each / 2, "connections": 3})]
        for name, each in measured.items()
    }


def test_stock_s_seconds_are_computed_for_all_locations_from_those_that_were_measured() -> None:
    table = tabulate(results(), 2_000, 100_000, 1)
    figures = dict(zip(CONTENDERS, (row.figures for row in table.rows), strict=True))
    assert figures["range"][:4] == (500, 60.0, 240.0, 30.0)
    assert figures["single"][:4] == (100, 100.0, 2_000.0, 250.0)
    assert figures["wave"][:4] == (2_000, 8.0, 8.0, 1.0)


def test_a_goal_that_is_missed_is_shown_as_missed() -> None:
    assert all(goal.is_met for goal in tabulate(results(), 2_000, 100_000, 1).goals)
    missed = [
        str(goal) for goal in tabulate(results(wave=11.0, single=50.0), 2_000, 100_000, 1).goals if not goal.is_met
    ]
    assert len(missed) == 3
    assert all(each.startswith("MISSED") for each in missed)
