"""How long a wave takes: ours, a plain script, and stock Dagster with one run for a range or a run for each location.

Stock's runs are too slow to be run for all locations. Some are measured, and the table says for how many.
"""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.timing.children import (
    DATABASE,
    REPOSITORY,
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
from resources.machine.embedded_postgres import EmbeddedPostgres, use_postgres

LOCATIONS = 2_000
# How many locations each contender scores; None: all of them.
CONTENDERS: Mapping[str, tuple[str, int | None]] = {
    "wave": ("ours: one run, an event for each", None),
    "script": ("plain script, chunks of 100", None),
    "range": ("stock Dagster, one ranged run", 500),
    "single": ("stock Dagster, a run for each", 100),
}
SECONDS, MS_ABOVE_SCRIPT, TIMES_RANGE, TIMES_SINGLE, CONNECTIONS = 10, 2, 20, 200, 6


def measure_waves(locations: int, rounds: int) -> list[Table]:
    """Trains and promotes a model, fills the tables, and runs every contender in turns.

    Raises:
        BenchError: a run failed, or did not score every location.
    """
    with tempfile.TemporaryDirectory() as scratch, use_postgres(Path(scratch, "postgres")) as server:
        environment = make_environment(Path(scratch), server, locations)
        show_progress(f"training a model, making {locations:,} locations")
        applications = int(run(make_command("model", locations), environment).output["done"])

        def run_once(name: str) -> ProcessResult:
            count = CONTENDERS[name][1] or locations
            result = run(make_command(name, count), environment)
            if result.output["done"] != count:
                raise BenchError(f"{name} scored {result.output['done']} of {count} locations")
            return result

        results = run_in_turns({name: lambda name=name: run_once(name) for name in CONTENDERS}, rounds)
    return [tabulate(results, locations, applications, rounds)]


def make_command(name: str, locations: int) -> list[str]:
    """The command of one contender."""
    return make_module_command("bench.waves.contenders", name, str(locations))


def make_environment(scratch: Path, server: EmbeddedPostgres, locations: int) -> dict[str, str]:
    """The variables of a platform with its own databases, store and settings, and of stock Dagster beside it."""
    home = scratch / "home"
    home.mkdir()
    shutil.copy(REPOSITORY / "local" / "dagster.yaml", home)
    declared = (REPOSITORY / "settings" / "loans.toml").read_text()
    settings = scratch / "loans.toml"
    settings.write_text(declared.replace("locations = 200", f"locations = {locations}"))
    lending = server.create_database("lending")
    return {
        DATABASE: lending,
        "PLATFORM_SCORES_URL": lending,
        "PLATFORM_HISTORY_URL": server.create_database("history"),
        "PLATFORM_SETTINGS": str(settings),
        "PLATFORM_STORE": (scratch / "store").as_uri(),
        "DAGSTER_HOME": str(home),
        "STOCK_HISTORY_URL": server.create_database("stock"),
    }


def tabulate(results: Mapping[str, Sequence[ProcessResult]], locations: int, applications: int, rounds: int) -> Table:
    """Seconds of each contender, and what they are for all locations."""
    measured = {name: count or locations for name, (_, count) in CONTENDERS.items()}
    seconds, processor, peak, connections = (
        {name: compute_median(each, figure) for name, each in results.items()}
        for figure in (
            lambda result: float(result.output["seconds"]),
            lambda result: float(result.output["processor_seconds"]),
            lambda result: result.peak_bytes / 1e6,
            lambda result: float(result.output["connections"]),
        )
    )
    all_of_them = {name: seconds[name] * locations / measured[name] for name in results}
    above = (seconds["wave"] - seconds["script"]) * 1000 / locations
    return Table(
        f"{locations:,} locations, {applications:,} applications",
        ("measured for", "s", "s for all", "× ours", "processor s", "peak MB", "connections"),
        [
            Row(
                what,
                (
                    measured[name],
                    seconds[name],
                    all_of_them[name],
                    all_of_them[name] / all_of_them["wave"],
                    processor[name],
                    peak[name],
                    int(connections[name]),
                ),
                format_command(make_command(name, measured[name])),
            )
            for name, (what, _) in CONTENDERS.items()
        ],
        [
            Goal("s for a wave", seconds["wave"], SECONDS, at_least=False),
            Goal("ms a location above a plain script", above, MS_ABOVE_SCRIPT, at_least=False),
            Goal("times faster than stock's ranged run", all_of_them["range"] / seconds["wave"], TIMES_RANGE),
            Goal("times faster than stock's single runs", all_of_them["single"] / seconds["wave"], TIMES_SINGLE),
            Goal("connections to PostgreSQL", connections["wave"], CONNECTIONS, at_least=False),
        ],
        [
            f"Medians of {rounds}, in turns, each in a fresh process; seconds count after the imports.",
            "Stock's runs share one process, which spares each of them the start of its own.",
            "The seconds of stock for all locations are computed from those that were measured.",
        ],
    )
