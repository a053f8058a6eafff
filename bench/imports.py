"""The import of the code location, which every process that Dagster starts pays, above that of Dagster itself."""

import sys

from bench.timing.children import in_turns, middle, run
from bench.timing.table import Goal, Row, Table

MODULES = ("dagster", "credit_assets.definitions")
SECONDS_ABOVE = 0.25


def imports(rounds: int) -> list[Table]:
    """Imports both in fresh processes, in turns; once before, which compiles what was never imported."""
    commands = {name: [sys.executable, "-c", f"import {name}"] for name in MODULES}
    for command in commands.values():
        run(command)
    results = in_turns({name: lambda command=command: run(command) for name, command in commands.items()}, rounds)
    seconds = {name: middle(each, lambda ran: ran.process) for name, each in results.items()}
    peak = {name: middle(each, lambda ran: ran.peak / 1e6) for name, each in results.items()}
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
