"""How long a wave takes: ours, a plain script, and stock Dagster with one run for a range or a run for each location.

Stock's runs are too slow to be run for all locations. Some are measured, and the table says for how many.
"""

from collections.abc import Mapping, Sequence

from bench.timing.children import BenchError, ProcessResult, compute_median, format_command, run_in_turns
from bench.timing.table import Goal, Row, Table
from bench.waves.platform import BenchPlatform, make_command, open_platform

LOCATIONS = 2_000
STOCK_NOTES = (
    "Stock's runs share one process, which spares each of them the start of its own.",
    "The seconds of stock for all locations are computed from those that were measured.",
)
# How many locations each contender scores; None: all of them.
CONTENDERS: Mapping[str, tuple[str, int | None]] = {
    "wave": ("ours: one run, an event for each", None),
    "script": ("plain script, chunks of 100", None),
    "range": ("stock Dagster, one ranged run", 500),
    "single": ("stock Dagster, a run for each", 100),
}
# Those that score any number of locations in reasonable time.
FAST_CONTENDERS = ("wave", "script")
SECONDS, MS_ABOVE_SCRIPT, TIMES_RANGE, TIMES_SINGLE, CONNECTIONS, MOST_MIB = 10, 2, 20, 200, 6, 500


def measure_waves(locations: int, rounds: int, names: Sequence[str] = tuple(CONTENDERS)) -> list[Table]:
    """Trains and promotes a model, fills the tables, and runs these contenders in turns.

    Raises:
        BenchError: a run failed, or did not score every location.
    """
    with open_platform(locations) as platform:
        results = run_in_turns(
            {name: lambda name=name: run_once(platform, name, CONTENDERS[name][1] or locations) for name in names},
            rounds,
        )
    return [tabulate(results, locations, platform.applications, rounds)]


def run_once(platform: BenchPlatform, name: str, locations: int) -> ProcessResult:
    """Runs one contender.

    Raises:
        BenchError: it failed, or did not score every location.
    """
    result = platform.run_contender(name, locations)
    if result.output["done"] != locations:
        raise BenchError(f"{name} scored {result.output['done']} of {locations} locations")
    return result


def tabulate(results: Mapping[str, Sequence[ProcessResult]], locations: int, applications: int, rounds: int) -> Table:
    """Seconds of each contender that ran, and what they are for all locations."""
    measured = {name: CONTENDERS[name][1] or locations for name in results}
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
    times = {name: each / all_of_them["wave"] for name, each in all_of_them.items()}
    rows = [
        Row(
            CONTENDERS[name][0],
            (
                measured[name],
                seconds[name],
                all_of_them[name],
                times[name],
                processor[name],
                peak[name],
                int(connections[name]),
            ),
            format_command(make_command(name, measured[name])),
        )
        for name in results
    ]
    return Table(
        f"{locations:,} locations, {applications:,} applications",
        ("measured for", "s", "s for all", "× ours", "processor s", "peak MB", "connections"),
        rows,
        list_goals(locations, seconds, times, peak, connections),
        [
            f"Medians of {rounds}, in turns, each in a fresh process; seconds count after the imports.",
            "The peak is that of the contender's own process, which has no others. PostgreSQL's memory is not in it.",
            "Connections are those of all processes to this PostgreSQL, counted 20 times a second.",
            *(STOCK_NOTES if "single" in results else ()),
        ],
    )


def list_goals(
    locations: int,
    seconds: Mapping[str, float],
    times: Mapping[str, float],
    peak: Mapping[str, float],
    connections: Mapping[str, float],
) -> list[Goal]:
    """The goals of a wave. One of more than 2,000 locations may take so many times longer."""
    above = (seconds["wave"] - seconds["script"]) * 1000 / locations
    most_seconds = SECONDS * max(1, locations / LOCATIONS)
    against_stock = {"range": ("ranged run", TIMES_RANGE), "single": ("single runs", TIMES_SINGLE)}
    return [
        Goal("s for a wave", seconds["wave"], most_seconds, at_least=False),
        Goal("ms a location above a plain script", above, MS_ABOVE_SCRIPT, at_least=False),
        *(
            Goal(f"times faster than stock's {what}", times[name], limit)
            for name, (what, limit) in against_stock.items()
            if name in times
        ),
        Goal("connections to PostgreSQL", connections["wave"], CONNECTIONS, at_least=False),
        Goal("MiB at the peak of the wave's process", peak["wave"] * 1e6 / 2**20, MOST_MIB, at_least=False),
    ]
