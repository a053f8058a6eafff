"""How much longer the code location's import takes than Dagster's. Every process that Dagster starts imports it."""

import sys

from bench.timing.children import compute_median, run, run_in_turns
from bench.timing.table import Goal, Row, Table

MODULES = ("dagster", "credit_assets.definitions")
SECONDS_ABOVE = 0.25


def measure_imports(rounds: int) -> list[Table]:
    """Imports both in new processes, in turns. One import of each comes before, so that all modules are compiled."""
    commands = {name: [sys.executable, "-c", f"import {name}"] for name in MODULES}
    for command in commands.values():
        run(command)
    results = run_in_turns({name: lambda command=command: run(command) for name, command in commands.items()}, rounds)
    seconds = {name: compute_median(each, lambda result: result.seconds) for name, each in results.items()}
    peak = {name: compute_median(each, lambda result: result.peak_bytes / 1e6) for name, each in results.items()}
    alone, location = (seconds[name] for name in MODULES)
    return [
        Table(
            "Import of the code location",
            ("process s", "× dagster", "peak MB"),
            [
                Row(name, (seconds[name], seconds[name] / alone, peak[name]), f'python -c "import {name}"')
                for name in MODULES
            ],
            [Goal("s above `import dagster` alone", location - alone, SECONDS_ABOVE, at_least=False)],
            [f"Medians of {rounds}, in turns, each in a fresh process."],
        )
    ]
