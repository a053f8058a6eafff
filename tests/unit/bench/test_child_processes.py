"""A benchmark that runs with somebody's settings, or takes its own memory for its child's, measures something else."""

import math
import resource
import sys

import pytest

from bench.timing.children import BenchError, ProcessResult, compute_median, find_median_run, run, run_in_turns
from bench.timing.table import Goal


def make_result(process: float, **output: float) -> ProcessResult:
    return ProcessResult(process, math.nan, output)


def test_a_median_is_not_moved_by_one_slow_round() -> None:
    rounds = [make_result(1.0, seconds=0.5), make_result(90.0, seconds=80.0), make_result(1.2, seconds=0.7)]
    assert compute_median(rounds, lambda each: each.seconds) == 1.2
    assert compute_median(rounds, lambda each: float(each.output["seconds"])) == 0.7
    assert find_median_run(rounds) is rounds[2]
    assert find_median_run(rounds[:2]) is rounds[0]


def test_contenders_take_turns() -> None:
    order: list[str] = []
    results = run_in_turns({name: lambda name=name: order.append(name) or make_result(1.0) for name in ("a", "b")}, 3)
    assert order == ["a", "b"] * 3
    assert {name: len(each) for name, each in results.items()} == {"a": 3, "b": 3}


def test_a_failed_process_is_an_error_with_its_output() -> None:
    with pytest.raises(BenchError, match=r"exit code 3(.|\n)*out of disk"):
        run([sys.executable, "-c", "import sys; print('out of disk'); sys.exit(3)"])


def test_a_benchmark_never_finds_the_settings_of_somebody_who_has_a_database(monkeypatch) -> None:
    for name in ("PLATFORM_DATABASE_URL", "PLATFORM_STORE", "DAGSTER_HOME", "PLATFORM_WEBHOOK_URL"):
        monkeypatch.setenv(name, "somebody's")
    script = (
        "import json, os; print(json.dumps({k: v for k, v in os.environ.items() if v in ('ours', \"somebody's\")}))"
    )
    assert run([sys.executable, "-c", script], {"PLATFORM_STORE": "ours"}).output == {"PLATFORM_STORE": "ours"}


def test_a_peak_below_that_of_the_parent_is_unknown_and_not_the_parents() -> None:
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) + 50_000_000
    small, large = (run([sys.executable, "-c", f"bytearray({size})"]).peak_bytes for size in (1, more))
    assert more < large < more + 50_000_000
    assert math.isnan(small)
    assert not Goal("of the memory", small, 0.25, at_least=False).is_met
