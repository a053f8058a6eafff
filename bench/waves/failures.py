"""What a wave takes if a tenth of its locations fails, how soon each failure is known, and what a repetition does.

A location fails here because one of its applications has no income. The processes are those of
`bench.waves.failing_waves`.
"""

from collections.abc import Mapping, Sequence

from bench.timing.children import (
    ProcessResult,
    compute_median,
    format_command,
    make_module_command,
    run,
    run_in_turns,
)
from bench.timing.table import Goal, Row, Table
from bench.waves.platform import BenchPlatform, open_platform

BREAK = """UPDATE applications SET income = NULL WHERE id IN (
  SELECT min(id) FROM applications WHERE right(location, 1) = '0' GROUP BY location)"""
REPAIR = "UPDATE applications SET income = 50000 WHERE income IS NULL"
WAVES: Mapping[str, tuple[str, str]] = {
    "all": ("no location fails", "score_locations"),
    "failing": ("a tenth of them fails", "score_locations"),
    "rescore": ("those again, in one run", "rescore"),
}
COUNTS, SECONDS = ("planned", "failed", "on_page"), ("seconds", "named_after", "red_after")
# How much longer a wave may take, and seconds until a failure is named, and shown as failed.
FACTOR, KNOWN_SECONDS = 1.1, 5


def measure_failures(locations: int, rounds: int) -> list[Table]:
    """Runs a wave without failures, one in which a tenth fails, and a repetition of those, in turns.

    Raises:
        BenchError: a run did something else than was expected.
    """
    with open_platform(locations) as platform:
        # The first wave of a platform makes tables and partitions, which no other does.
        run_wave(platform, "all", locations)
        results = run_in_turns({name: lambda name=name: run_wave(platform, name, locations) for name in WAVES}, rounds)
    return [tabulate_failures(results, locations, rounds)]


def run_wave(platform: BenchPlatform, name: str, locations: int) -> ProcessResult:
    """Breaks or repairs the rows first, and refuses a wave of which other locations fail than those of broken rows."""
    platform.execute(BREAK if name == "failing" else REPAIR)
    broken = locations // 10
    failed, planned = {"all": (0, locations), "failing": (broken, locations), "rescore": (0, broken)}[name]
    return run(make_wave_command(name, failed, planned), platform.environment)


def make_wave_command(name: str, failed: int, planned: int) -> list[str]:
    """The command of a wave of which so many locations must fail, and so many must be planned."""
    return make_module_command("bench.waves.failing_waves", WAVES[name][1], str(failed), str(planned))


def tabulate_failures(results: Mapping[str, Sequence[ProcessResult]], locations: int, rounds: int) -> Table:
    """Seconds of each wave, and of each failure until it is known."""
    medians = {
        wave: {
            name: compute_median(each, lambda result, name=name: float(result.output[name]))
            for name in (*COUNTS, *SECONDS)
        }
        for wave, each in results.items()
    }
    undisturbed, failing = medians["all"], medians["failing"]
    return Table(
        f"A tenth of {locations:,} locations fails",
        ("planned", "failed", "on the page", "s", "named after s", "red after s"),
        [
            Row(
                what,
                [*(int(medians[wave][name]) for name in COUNTS), *(medians[wave][name] for name in SECONDS)],
                format_command(make_wave_command(wave, int(medians[wave]["failed"]), int(medians[wave]["planned"]))),
            )
            for wave, (what, _) in WAVES.items()
        ],
        [
            Goal(
                "times the seconds of a wave without failures",
                failing["seconds"] / undisturbed["seconds"],
                FACTOR,
                at_least=False,
            ),
            Goal("s until each failure is named", failing["named_after"], KNOWN_SECONDS, at_least=False),
            Goal("s from the end of the run until each is red", failing["red_after"], KNOWN_SECONDS, at_least=False),
        ],
        [
            f"Medians of {rounds}, in turns, each in a fresh process; seconds count after the imports.",
            "Named: from the start of its chunk until the page of the wave names the location; of the slowest one.",
            "One that is not on the page is named by the report, at the end of the wave.",
            "Red: from the end of the run until Dagster's status of the partitions has all that failed.",
            "The repetition is one run of the job `rescore`; it fails here if it plans others than those that failed.",
        ],
    )
