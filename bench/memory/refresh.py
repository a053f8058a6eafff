"""What a refresh of a large table needs: the peak memory of each of its steps, in one process, as in a run's pod.

`python -m bench.memory.refresh fill LOANS FEATURES FOLDER` makes the table in the database of PLATFORM_DATABASE_URL
and the settings in the folder. `python -m bench.memory.refresh run TREES`, with the variables of a run, refreshes.
"""

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.timing.children import (
    DATABASE,
    ProcessResult,
    compute_median,
    format_command,
    make_module_command,
    run,
    run_in_turns,
    show_progress,
)
from bench.timing.table import Goal, Row, Table
from resources.machine.embedded_postgres import use_postgres

FEATURES, TREES = 50, 10
# A fifth of the features are categories; a fifth of the numbers are integers; a fifth of all values are missing.
MISSING = 0.2
# The limit of a run's pod in the chart, and its cores.
LIMIT_MIB, CORES = 2_048, 1
STEPS = ("loan_dataset", "training", "model_metrics", "promoted_model", "benchmark")


def measure_memory(loans: int, rounds: int) -> list[Table]:
    """Fills a table, and refreshes it in fresh processes, each with a store of its own."""
    with tempfile.TemporaryDirectory() as scratch, use_postgres(Path(scratch, "postgres")) as server:
        database = {DATABASE: server.create_database("lending")}
        show_progress(f"making {loans:,} loans with {FEATURES} features")
        run(make_module_command("bench.memory.refresh", "fill", loans, FEATURES, scratch), database)

        def refresh_once() -> ProcessResult:
            store = Path(tempfile.mkdtemp(dir=scratch)).as_uri()
            variables = database | {
                "PLATFORM_SETTINGS": str(Path(scratch, "loans.toml")),
                "PLATFORM_STORE": store,
                "LOKY_MAX_CPU_COUNT": str(CORES),
            }
            return run(make_module_command("bench.memory.refresh", "run", TREES), variables)

        results = run_in_turns({"refresh": refresh_once}, rounds)["refresh"]
    return [tabulate(results, loans, rounds)]


def tabulate(results: Sequence[ProcessResult], loans: int, rounds: int) -> Table:
    """The peak of each step, and that of the whole run."""

    def compute_peak(step: str) -> float:
        return compute_median(results, lambda result: float(result.output[step]))

    peaks = {step: compute_peak(step) for step in STEPS}
    command = format_command(make_module_command("bench.memory.refresh", "run", TREES))
    return Table(
        f"A refresh of {loans:,} loans with {FEATURES} features, a fifth of their values missing",
        ("peak MiB",),
        [Row(step, (peak,), command) for step, peak in peaks.items()],
        [Goal("MiB at the peak, the limit of a run's pod", max(peaks.values()), LIMIT_MIB, at_least=False)],
        [f"Medians of {rounds}, each in a fresh process; {TREES} trees, LOKY_MAX_CPU_COUNT={CORES}."],
    )


def list_kinds(features: int) -> dict[str, str]:
    """The type of each feature, as settings name it."""
    kinds = ("number", "number", "number", "integer", "category")
    return {f"{kinds[number % 5]}_{number}": kinds[number % 5] for number in range(features)}


def declare(features: int) -> str:
    """The settings of the table, as TOML."""
    lines = (f'{name} = {{ type = "{kind}", missing = "allowed" }}' for name, kind in list_kinds(features).items())
    return '[table]\nname = "loans"\n[target]\ncolumn = "defaulted"\n[features]\n' + "\n".join(lines) + "\n"


def make_sql(loans: int, features: int) -> str:
    """The statement that makes the table. Those with two high numbers and bad luck default, about a fifth."""
    values = {
        "number": "round((random() * 100000)::numeric, 2)::float8",
        "integer": "(random() * 1000)::integer",
        "category": "(ARRAY['agriculture', 'construction', 'manufacturing', 'public', 'services', 'other'])"
        "[1 + floor(random() * {levels})::integer]",
    }
    columns = ", ".join(
        f"CASE WHEN random() >= {MISSING} THEN {values[kind].format(levels=4 + number % 3)} END AS {name}"
        for number, (name, kind) in enumerate(list_kinds(features).items())
    )
    return (
        "CREATE UNLOGGED TABLE loans AS SELECT *, "
        "(random() + (coalesce(number_0, 50000) + coalesce(number_1, 50000)) / 100000 > 1.9)::integer AS defaulted "
        f"FROM (SELECT g AS id, timestamptz '2020-01-01Z' + g * interval '1 minute' AS created_at, {columns} "
        f"FROM generate_series(1, {loans}) AS g) AS drawn"
    )


def fill(loans: int, features: int, folder: Path) -> None:
    """Makes the table and its settings."""
    import psycopg2

    (folder / "loans.toml").write_text(declare(features))
    with psycopg2.connect(os.environ[DATABASE]) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.42)")
        cursor.execute(make_sql(loans, features))


if __name__ == "__main__":
    match sys.argv[1:]:
        case "fill", count, width, place:
            fill(int(count), int(width), Path(place))
        case "run", trees:
            from bench.memory.steps import refresh

            print(json.dumps(refresh(int(trees))))
