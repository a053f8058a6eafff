"""How soon a pricing run starts that is asked for during a wave, compared with one on an idle platform.

Both are put into the queue, which Dagster's daemon empties. Each has a process of its own, as with `make ui`.
"""

import time
from collections.abc import Mapping
from statistics import median

from bench.timing.children import BenchError, show_progress
from bench.timing.served import serve_instance
from bench.timing.table import Goal, Row, Table
from bench.waves.platform import open_platform
from resources.services.webserver import Webserver

WAVE_JOB, PRICING_JOB, PRICING_STEP = "score_locations", "price_segments", "segment_prices"
# Another pricing run must start while the wave is under way, so that it has more locations than that of the table.
TIMES_LOCATIONS, FACTOR = 4, 1.5


def measure_prices(locations: int, rounds: int) -> list[Table]:
    """Prices on an idle platform, and then beside a wave, so many times each.

    Raises:
        BenchError: a run failed, or the wave had ended before the pricing run started.
    """
    count = TIMES_LOCATIONS * locations
    with open_platform(count) as platform, serve_instance(platform.environment, with_daemon=True) as webserver:
        finish(webserver, webserver.launch(WAVE_JOB))
        finish(webserver, webserver.launch(PRICING_JOB))
        idle = [time_start(webserver)[0] for _ in range(rounds)]
        beside = [time_start_beside_wave(webserver) for _ in range(rounds)]
    return [tabulate_prices({"idle": median(idle), "beside": median(beside)}, count, rounds)]


def time_start(webserver: Webserver) -> tuple[float, float]:
    """Prices all segments; returns the seconds from the request to the first step, and when that was, in Unix time."""
    run = webserver.launch(PRICING_JOB)
    finish(webserver, run)
    began = min(
        int(event["timestamp"]) / 1000
        for event in webserver.read_events(run)
        if event["__typename"] == "ExecutionStepStartEvent" and event["stepKey"] == PRICING_STEP
    )
    return began - webserver.read_run(run)["creationTime"], began


def time_start_beside_wave(webserver: Webserver) -> float:
    """The same during a wave that is scoring already."""
    show_progress("prices beside a wave")
    wave = webserver.launch(WAVE_JOB)
    while not any(event["__typename"] == "ExecutionStepStartEvent" for event in webserver.read_events(wave)):
        time.sleep(0.2)
    seconds, began = time_start(webserver)
    finish(webserver, wave)
    if began >= webserver.read_run(wave)["endTime"]:
        raise BenchError("the wave had ended before the pricing run started: ask for more --locations")
    return seconds


def finish(webserver: Webserver, run: str) -> None:
    """Waits for a run.

    Raises:
        BenchError: it failed.
    """
    if (status := webserver.wait_for_run(run, 600)) != "SUCCESS":
        raise BenchError(f"run {run} ended as {status}: {'; '.join(webserver.read_failure_reasons(run))}")


def tabulate_prices(seconds: Mapping[str, float], locations: int, rounds: int) -> Table:
    """Seconds until the first step of each."""
    rows = {"idle": "on an idle platform", "beside": f"during a wave of {locations:,} locations"}
    times = seconds["beside"] / seconds["idle"]
    return Table(
        "A pricing run, from the request to its first step",
        ("s", "× idle"),
        [Row(what, (seconds[name], seconds[name] / seconds["idle"])) for name, what in rows.items()],
        [Goal("times the seconds on an idle platform", times, FACTOR, at_least=False)],
        [f"Medians of {rounds}. Webserver, daemon, PostgreSQL and both runs share this machine."],
    )
