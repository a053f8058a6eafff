"""Drill 22. Prices are asked for while a wave is under way: their run starts about as soon as on an idle release.

Nothing is lost here. If a wave delayed prices, they would be old exactly when the newest scores arrive. The drill is
about waiting: for a place in the queue, for a pool, for a lease. So the wave works on a quarter of a core. The nodes of
a test cluster may share their cores, and then a wave on a whole core slows down any pod that starts.
"""

from collections.abc import Iterator
from statistics import median

import pytest

from tests.drills.support.platform import Platform, give_resources
from tests.drills.waves.support import (
    JOB,
    PRICING_JOB,
    PRICING_STEP,
    STEP,
    add_locations,
    assert_scored_once,
    find_wave_start,
    score_all,
)

# So many that the wave is still under way when the last pricing run starts.
COPIES = 39
# So many pricing runs give a median, and how much longer one may take to start beside a wave than on an idle release.
RUNS, FACTOR = 3, 1.5
QUARTER_OF_A_CORE = {"requests": {"cpu": "250m", "memory": "1Gi"}, "limits": {"cpu": "250m", "memory": "2Gi"}}


@pytest.fixture
def locations(platform: Platform) -> Iterator[int]:
    """How many locations there are, with those that this drill adds."""
    with add_locations(platform, COPIES) as count:
        yield count


def measure_start(platform: Platform) -> tuple[float, float]:
    """Prices all segments. Returns the seconds from the request to the first step, and when that was, in Unix time."""
    run = platform.launch(PRICING_JOB)
    assert platform.webserver.wait_for_run(run, 300) == "SUCCESS"
    (first,) = platform.read_step_starts(run, PRICING_STEP)
    return first - platform.webserver.read_run(run)["creationTime"], first


def measure_starts(platform: Platform) -> tuple[float, float]:
    """Prices all segments some times. Returns the median of the seconds, and when the last first step was."""
    starts = [measure_start(platform) for _ in range(RUNS)]
    return median(seconds for seconds, _ in starts), starts[-1][1]


def read_end(platform: Platform, run: str) -> float:
    """When a run ended well, in Unix seconds."""
    assert platform.webserver.wait_for_run(run, 600) == "SUCCESS"
    (end,) = platform.read_events(run, "RunSuccessEvent")
    return end["at"]


def test_prices_that_are_asked_for_during_a_wave_start_about_as_soon_as_on_an_idle_release(
    platform, locations, drill_round
) -> None:
    expected = score_all(platform)
    idle, _ = measure_starts(platform)
    wave = platform.launch(JOB, tags=give_resources(QUARTER_OF_A_CORE))
    platform.wait_until("a chunk is committed", lambda: find_wave_start(platform, wave, 1), 300)
    beside, last = measure_starts(platform)
    assert last < read_end(platform, wave), "the wave ended before the last pricing run started: add more locations"
    assert beside <= FACTOR * idle, f"prices started after {beside:.1f} s, and after {idle:.1f} s on an idle release"
    assert len(platform.read_step_starts(wave, STEP)) == 1, "the wave was disturbed"
    assert_scored_once(platform, locations, expected, wave)
    platform.record(
        fault="none, prices beside a wave",
        request_to_first_step=round(beside, 2),
        request_to_first_step_idle=round(idle, 2),
    )
