"""By how many bytes a day of waves and prices makes Dagster's event log grow: the runs are in `bench.waves.day`."""

from bench.timing.children import ProcessResult, format_command, make_module_command, run
from bench.timing.table import Goal, Row, Table
from bench.waves.platform import open_platform

WAVES, PRICINGS, SEGMENTS, MOST_MB = 8, 24, 100, 40
DIVIDE = "UPDATE locations SET segment = 'segment-' || substr(location, 8)::int %% %s"


def measure_growth(locations: int) -> list[Table]:
    """Runs all waves and pricing runs of a day.

    Raises:
        BenchError: a run failed.
    """
    segments = min(SEGMENTS, locations)
    with open_platform(locations) as platform:
        platform.execute(DIVIDE, segments)
        result = run(make_module_command("bench.waves.day", WAVES, PRICINGS), platform.environment)
    return [tabulate_growth(result, locations, segments)]


def tabulate_growth(result: ProcessResult, locations: int, segments: int) -> Table:
    """Bytes of the day, and of each partition."""
    parts = {"waves": (WAVES, locations), "pricings": (PRICINGS, segments)}
    grown = {name: float(result.output[name]) for name in parts}
    command = format_command(make_module_command("bench.waves.day", WAVES, PRICINGS))
    total, kept = sum(grown.values()) / 1e6, float(result.output["kept"]) / 1e6
    return Table(
        "The event log of a day",
        ("runs", "partitions each", "MB", "bytes a partition"),
        [
            *(
                Row(
                    {"waves": "waves", "pricings": "pricing runs"}[name],
                    (runs, partitions, grown[name] / 1e6, grown[name] / runs / partitions),
                    command,
                )
                for name, (runs, partitions) in parts.items()
            ),
            Row("a day", (WAVES + PRICINGS, None, total, None)),
            Row("the same day, after retention", (WAVES + PRICINGS, None, kept, None)),
        ],
        [Goal("MB a day, after retention", kept, MOST_MB, at_least=False)],
        [
            "All runs are really run, after one of each that is not counted.",
            "Bytes are those of the tables `event_logs` and `asset_event_tags` with their indexes, after VACUUM FULL.",
        ],
    )
