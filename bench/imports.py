"""What the import of the code location takes beyond that of Dagster. Every process that Dagster starts pays it."""

import sys

from bench.timing.children import median_of, run, run_in_turns
from bench.timing.table import Goal, Row, Table

MODULES = ("dagster", "credit_assets.definitions")
SECONDS_ABOVE = 0.25


def measure_imports(rounds: int) -> list[Table]:
    """Imports both in new processes, in turns. One import before that compiles what was never imported."""
    commands = {name: [sys.executable, "-c", f"import {name}"] for name in MODULES}
    for command in commands.values():
        run(command)
    results = run_in_turns({name: lambda command=command: run(command) for name, command in commands.items()}, rounds)
    seconds = {name: median_of(each, lambda ran: ran.seconds) for name, each in results.items()}
    peak = {name: median_of(each, lambda ran: ran.peak_bytes / 1e6) for name, each in results.items()}
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
