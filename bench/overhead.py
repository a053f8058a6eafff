"""How much longer a warm `make run` takes than a plain script with the same four steps, and where the time goes."""

import shutil
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.timing.children import (
    DATABASE,
    REPOSITORY,
    ProcessResult,
    compute_median,
    find_median_run,
    format_command,
    make_module_command,
    run,
    run_in_turns,
    show_progress,
)
from bench.timing.table import Row, Table
from bench.timing.timed_run import PARTS, PYTHON
from resources.machine.embedded_postgres import use_postgres

SETTINGS = REPOSITORY / "settings" / "loans.toml"
COMMANDS = {
    "plain script": make_module_command("bench.plain_script", "FOLDER"),
    "warm run": make_module_command("credit_assets.commands.main", "run", "--settings", "settings/loans.toml"),
    "plain script, timed": make_module_command("bench.timing.timed_run", "plain", "FOLDER"),
    "warm run, timed": make_module_command("bench.timing.timed_run", "platform", "settings/loans.toml"),
}


def measure_overhead(rounds: int) -> list[Table]:
    """Runs both in turns, with and without the stopwatch, in an own folder and on an own database."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch, "local")
        home.mkdir()
        shutil.copy(REPOSITORY / "local" / "dagster.yaml", home)
        actual = {"FOLDER": scratch, "settings/loans.toml": str(SETTINGS)}
        # `bench` is not installed, and the runs have another working directory.
        environment = {"PYTHONPATH": str(REPOSITORY)}

        def run_once(name: str) -> ProcessResult:
            command = [actual.get(part, part) for part in COMMANDS[name]]
            if name.startswith("warm run"):
                return run(command, environment, Path(scratch))
            with use_postgres(home / "postgres") as server:
                return run(command, environment | {DATABASE: server.create_database("lending")}, Path(scratch))

        show_progress("filling the databases")
        for name in ("warm run", "plain script"):
            run_once(name)
        results = run_in_turns({name: lambda name=name: run_once(name) for name in COMMANDS}, rounds)
    plain, platform = find_median_run(results["plain script, timed"]), find_median_run(results["warm run, timed"])
    return [tabulate_totals(results, rounds), tabulate_parts(plain, platform), tabulate_steps(platform.output)]


def tabulate_totals(results: Mapping[str, Sequence[ProcessResult]], rounds: int) -> Table:
    """The seconds of each whole process."""
    loans = tomllib.loads(SETTINGS.read_text())["seed"]["generate"]
    seconds = {name: compute_median(each, lambda result: result.seconds) for name, each in results.items()}
    plain = seconds["plain script"]
    return Table(
        f"A warm run, {loans:,} loans",
        ("process s", "added s", "× plain"),
        [
            Row(name, (each, each - plain, each / plain), format_command(COMMANDS[name]))
            for name, each in seconds.items()
        ],
        notes=[
            f"Medians of {rounds}, in turns. A warm run starts and stops PostgreSQL; the plain script finds it running."
        ],
    )


def tabulate_parts(plain: ProcessResult, platform: ProcessResult) -> Table:
    """The parts of the median run of each under the stopwatch. The parts add up to the seconds of the whole process."""
    bare, ours = sum_by_part(plain), sum_by_part(platform)
    rows = [Row(part, (bare.get(part), ours.get(part), ours.get(part, 0) - bare.get(part, 0))) for part in PARTS]
    total = Row("all", (plain.seconds, platform.seconds, platform.seconds - plain.seconds))
    return Table("Where it goes, s", ("plain script", "warm run", "added"), [*rows, total])


def tabulate_steps(output: Mapping[str, float | str]) -> Table:
    """The parts of the warm run, step by step."""
    names = list(dict.fromkeys(place.partition("/")[0] for place in output if not place.startswith("/")))
    seconds = [{part: float(output.get(f"{name}/{part}", 0)) for part in PARTS} for name in names]
    rows = [Row(part, [step[part] for step in seconds]) for part in PARTS if any(step[part] for step in seconds)]
    total = Row("all", [sum(step.values()) for step in seconds])
    return Table("Of that in the steps, s", names, [*rows, total])


def sum_by_part(result: ProcessResult) -> dict[str, float]:
    """Seconds by part, over all steps. The rest of the process, before and after the stopwatch, belongs to Python."""
    seconds: dict[str, float] = defaultdict(float)
    for place, each in result.output.items():
        seconds[place.partition("/")[2]] += float(each)
    seconds[PYTHON] += result.seconds - sum(seconds.values())
    return dict(seconds)
