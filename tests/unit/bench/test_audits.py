"""A benchmark of checks that fail, or that hides how they grow with the columns, would call slow checks fast."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from bench.audits import NARROW, TALL, WIDE, check_loans, tabulate, write_loans
from bench.timing.children import BenchError, ProcessResult


def audited(narrow: float, wide: float, peak_bytes: float) -> dict[tuple[int, int], list[ProcessResult]]:
    seconds = {NARROW: narrow, WIDE: wide, TALL: 30.0}
    return {size: [ProcessResult(60.0, peak_bytes, {"seconds": each})] for size, each in seconds.items()}


def test_checks_whose_time_grows_faster_than_the_columns_miss_their_goal() -> None:
    growth, memory = tabulate(audited(0.006, 0.48, 500e6), 1).goals
    assert (round(growth.figure, 6), growth.is_met, memory.figure, memory.is_met) == (1.2, True, 500, True)
    growth, memory = tabulate(audited(0.006, 0.49, 1100e6), 1).goals
    assert (growth.is_met, memory.is_met) == (False, False)


def test_made_up_loans_lie_in_several_row_groups_and_pass_every_check(tmp_path: Path) -> None:
    path = tmp_path / "loans.parquet"
    write_loans(800, 200, path)
    assert pq.read_metadata(path).num_row_groups > 1
    assert pq.read_metadata(path).num_rows == 800
    assert check_loans(200, path)["seconds"] > 0


def test_loans_that_fail_a_check_end_the_benchmark(tmp_path: Path) -> None:
    path = tmp_path / "loans.parquet"
    write_loans(100, 6, path)
    with pytest.raises(BenchError, match="expected at least 500"):
        check_loans(6, path)
