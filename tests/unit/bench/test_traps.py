"""A trap that is measured in one way only, or with a process that did not die, shows a difference that is not there."""

import sys

import pytest

from bench.timing.children import BenchError
from bench.traps.comparison import ROWS, die, tabulate_traps
from bench.traps.losses import wait_until_free
from bench.traps.ranges import measure_runs
from bench.traps.trap import TRAPS


def test_every_row_has_both_figures_and_a_trap_that_exists() -> None:
    figures = {
        trap: {way: {each: 7.5 for _, name, each, _ in ROWS if name == trap} for way in ("stock", "ours")}
        for _, trap, _, _ in ROWS
    }
    table = tabulate_traps(figures, {trap: 10 for _, trap, _, _ in ROWS})
    assert [list(row.figures) for row in table.rows] == [[10, 7.5, 7.5]] * len(ROWS)
    assert {trap for _, trap, _, _ in ROWS} <= set(TRAPS)


def test_a_process_that_was_to_die_and_did_not_is_an_error() -> None:
    die([sys.executable, "-c", "import os; os._exit(9)"], {})
    with pytest.raises(BenchError, match="was to die, and did not"):
        die([sys.executable, "-c", ""], {})
    with pytest.raises(BenchError, match="exit code 3"):
        die([sys.executable, "-c", "raise SystemExit(3)"], {})


def test_scattered_partitions_are_as_many_ranges_in_stock_dagster() -> None:
    assert measure_runs("stock", 5) == {"runs": 5}


def test_places_that_are_never_freed_are_counted_when_patience_ends() -> None:
    taken = iter([3, 1, 0])
    assert wait_until_free(lambda: next(taken), 60) == 0
    assert wait_until_free(lambda: 2, 0) == 2
