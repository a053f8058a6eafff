"""How long all tests take."""

from bench.timing.children import run, show_progress
from bench.timing.table import Goal, Row, Table

SECONDS = 180


def measure_all_tests() -> list[Table]:
    """Runs `make test` once, whole.

    Raises:
        BenchError: a test failed.
    """
    show_progress("make test")
    seconds = run(["make", "test"]).seconds
    show_progress("")
    return [
        Table(
            "All tests",
            ("process s",),
            [Row("unit and assets", (seconds,), "make test")],
            [Goal("s for all tests", seconds, SECONDS, at_least=False)],
        )
    ]
