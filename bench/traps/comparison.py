"""The traps of thousands of partitions, each measured in stock Dagster and here."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from bench.timing.children import BenchError, format_command, make_module_command, run, show_progress
from bench.timing.table import Row, Table
from bench.waves.platform import open_platform
from resources.machine.embedded_postgres import EmbeddedPostgres, use_postgres

HISTORY, KILLED = "PLATFORM_HISTORY_URL", "exit code 9:"
WAYS = ("stock", "ours")
# Each row: what it counts, the trap that measures it, the figure of it, and how many partitions or places there are.
ROWS = (
    ("planned events one by one, ms each", "recording", "planned_ms", 500),
    ("materializations one by one, ms each", "recording", "made_ms", 500),
    ("a connection for each event, connections", "recording", "connections", 500),
    ("a ranged run marks all, wrongly green", "green", "wrongly_green", 100),
    ("a run that succeeds, failed ones not red", "red", "not_red", 100),
    ("scattered failures, runs to repeat them", "ranges", "runs", 200),
    ("a dead process, partitions to make again", "lost", "made_again", 250),
    ("leaked places, still taken after 5 s", "places", "still_taken", 5),
    ("a run's page that reads all events, s", "log", "log_s", 3_000),
    ("a page that reads all states, s", "status", "status_s", 20_000),
)


def measure_traps(share: float = 1) -> list[Table]:
    """Measures every trap in both ways, each in a process and a database of its own.

    Args:
        share: of the partitions of each trap, to try this out.

    Raises:
        BenchError: a process failed.
    """
    counts = {trap: max(2, round(count * share)) for _, trap, _, count in ROWS}
    figures: dict[str, dict[str, Mapping[str, float | str]]] = {}
    with tempfile.TemporaryDirectory() as scratch, use_postgres(Path(scratch, "postgres")) as server:
        for trap, count in counts.items():
            show_progress(f"trap {trap}")
            figures[trap] = {way: measure_trap(server, trap, way, count) for way in WAYS}
    show_progress("")
    return [tabulate_traps(figures, counts)]


def measure_trap(server: EmbeddedPostgres, trap: str, way: str, count: int) -> Mapping[str, float | str]:
    """One trap in one way."""
    if trap != "lost":
        return run(make_command(trap, way, count), {HISTORY: server.create_database(f"{trap}_{way}")}).output
    if way == "stock":
        environment = {HISTORY: server.create_database("lost_stock")}
        die(make_command("die", way, count), environment)
        return run(make_command("lost", way, count), environment).output
    with open_platform(count, applications=2) as platform:
        die(make_command("die", way, count), platform.environment)
        return run(make_command("lost", way, count), platform.environment).output


def die(command: list[str], environment: Mapping[str, str]) -> None:
    """Runs a process that kills itself.

    Raises:
        BenchError: it ended in another way.
    """
    try:
        run(command, environment)
    except BenchError as error:
        if KILLED in str(error):
            return
        raise
    raise BenchError(f"{format_command(command)} was to die, and did not")


def make_command(trap: str, way: str, count: int) -> list[str]:
    """The command of one trap in one way."""
    return make_module_command("bench.traps.trap", trap, way, count)


def tabulate_traps(figures: Mapping[str, Mapping[str, Mapping[str, float | str]]], counts: Mapping[str, int]) -> Table:
    """Each trap with the figure of stock Dagster and ours."""
    return Table(
        "Traps",
        ("of", "stock", "ours"),
        [
            Row(
                what,
                (counts[trap], *(round_count(figures[trap][way][figure]) for way in WAYS)),
                format_command(make_command(trap, WAYS[0], counts[trap])),
            )
            for what, trap, figure, _ in ROWS
        ],
        notes=[
            "Each in a process and a database of its own. Nine of ten partitions are made, where some fail.",
            "A dead process: stock's dies with its batch of events in memory, ours between the commit and the record.",
            "All states: computed from the events, and from the cache that Dagster itself keeps after that.",
        ],
    )


def round_count(figure: float | str) -> float | int:
    """A figure; without digits behind the point if it is a count."""
    number = float(figure)
    return int(number) if number.is_integer() else number
