"""How long all tests take."""

from bench.timing.children import progress, run
from bench.timing.table import Goal, Row, Table

SECONDS = 180


def tests() -> list[Table]:
    """Runs `make test` once, whole.

    Raises:
        BenchError: a test failed.
    """
    progress("make test")
    seconds = run(["make", "test"]).process
    progress("")
    return [
        Table(
            "All tests",
            ("process s",),
            [Row("unit and assets", (seconds,), "make test")],
            [Goal("s for all tests", seconds, SECONDS, at_least=False)],
        )
    ]
