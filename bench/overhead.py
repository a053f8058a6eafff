"""A warm `make run` beside the same four steps as a plain script: what is added, and where it goes."""

import shutil
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.timing.children import DATABASE, REPOSITORY, Ran, in_turns, median_run, middle, module, progress, run, shown
from bench.timing.table import Row, Table
from bench.timing.watched import PARTS, PYTHON
from resources.machine.embedded_postgres import embedded_postgres

SETTINGS = REPOSITORY / "settings" / "loans.toml"
COMMANDS = {
    "plain script": module("bench.plain_script", "FOLDER"),
    "warm run": module("credit_assets.commands.main", "run", "--settings", "settings/loans.toml"),
    "plain script, watched": module("bench.timing.watched", "plain", "FOLDER"),
    "warm run, watched": module("bench.timing.watched", "platform", "settings/loans.toml"),
}


def overhead(rounds: int) -> list[Table]:
    """Runs both, bare and under the stopwatch, in turns, in a folder and on a database of their own."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch, "local")
        home.mkdir()
        shutil.copy(REPOSITORY / "local" / "dagster.yaml", home)
        actual = {"FOLDER": scratch, "settings/loans.toml": str(SETTINGS)}
        environment = {"PYTHONPATH": str(REPOSITORY)}  # `bench` is not installed, and the runs don't happen here

        def once(name: str) -> Ran:
            command = [actual.get(part, part) for part in COMMANDS[name]]
            if name.startswith("warm run"):
                return run(command, environment, Path(scratch))
            with embedded_postgres(home / "postgres") as server:
                return run(command, environment | {DATABASE: server.url("lending")}, Path(scratch))

        progress("filling the databases")
        for name in ("warm run", "plain script"):
            once(name)
        results = in_turns({name: lambda name=name: once(name) for name in COMMANDS}, rounds)
    plain, platform = median_run(results["plain script, watched"]), median_run(results["warm run, watched"])
    return [whole(results, rounds), parts(plain, platform), steps(platform.said)]


def whole(results: Mapping[str, Sequence[Ran]], rounds: int) -> Table:
    """What a caller waits for."""
    loans = tomllib.loads(SETTINGS.read_text())["seed"]["generate"]
    seconds = {name: middle(each, lambda ran: ran.process) for name, each in results.items()}
    plain = seconds["plain script"]
    return Table(
        f"A warm run, {loans:,} loans",
        ("process s", "added s", "× plain"),
        [Row(name, (each, each - plain, each / plain), shown(COMMANDS[name])) for name, each in seconds.items()],
        notes=[
            f"Medians of {rounds}, in turns. A warm run starts and stops PostgreSQL; the plain script finds it running."
        ],
    )


def parts(plain: Ran, platform: Ran) -> Table:
    """The median run of each under the stopwatch, part by part; the parts of a process add up to the whole of it."""
    bare, ours = by_part(plain), by_part(platform)
    rows = [Row(part, (bare.get(part), ours.get(part), ours.get(part, 0) - bare.get(part, 0))) for part in PARTS]
    total = Row("all", (plain.process, platform.process, platform.process - plain.process))
    return Table("Where it goes, s", ("plain script", "warm run", "added"), [*rows, total])


def steps(said: Mapping[str, float | str]) -> Table:
    """The parts of the warm run, step by step."""
    names = list(dict.fromkeys(place.partition("/")[0] for place in said if not place.startswith("/")))
    seconds = [{part: float(said.get(f"{name}/{part}", 0)) for part in PARTS} for name in names]
    rows = [Row(part, [step[part] for step in seconds]) for part in PARTS if any(step[part] for step in seconds)]
    total = Row("all", [sum(step.values()) for step in seconds])
    return Table("Of that in the steps, s", names, [*rows, total])


def by_part(ran: Ran) -> dict[str, float]:
    """Seconds by part, over all steps. What is left of the process came before or after the stopwatch: Python's."""
    seconds: dict[str, float] = defaultdict(float)
    for place, each in ran.said.items():
        seconds[place.partition("/")[2]] += float(each)
    seconds[PYTHON] += ran.process - sum(seconds.values())
    return dict(seconds)
