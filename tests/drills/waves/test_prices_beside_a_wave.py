"""Drill 22. Prices are asked for while a wave is under way: their run starts about as soon as on an idle release.

Nothing is lost here. If a wave delayed prices, they would be old exactly when the newest scores arrive.
"""

from collections.abc import Iterator
from statistics import median

import pytest

from tests.drills.support.platform import Platform
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
COPIES = 59
# Pricing runs on the idle release, and as many beside a wave; their medians are compared, because one start varies
# by half where the nodes share cores. FACTOR is how much longer a start may take beside a wave.
RUNS, FACTOR = 3, 1.5


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


def test_prices_that_are_asked_for_during_a_wave_start_about_as_soon_as_on_an_idle_release(
    platform, locations, drill_round
) -> None:
    expected = score_all(platform)
    idle = median(measure_start(platform)[0] for _ in range(RUNS))
    wave = platform.launch(JOB)
    platform.wait_until("a chunk is committed", lambda: find_wave_start(platform, wave, 1), 300)
    starts = [measure_start(platform) for _ in range(RUNS)]
    beside = median(seconds for seconds, _ in starts)
    assert platform.webserver.wait_for_run(wave, 600) == "SUCCESS"
    (end,) = platform.read_events(wave, "RunSuccessEvent")
    assert starts[-1][1] < end["at"], "the wave ended before the last pricing run started: add more locations"
    assert beside <= FACTOR * idle, f"prices started after {beside:.1f} s, and after {idle:.1f} s on an idle release"
    assert len(platform.read_step_starts(wave, STEP)) == 1, "the wave was disturbed"
    assert_scored_once(platform, locations, expected, wave)
    platform.record(
        fault="none, prices beside a wave",
        request_to_first_step=round(beside, 2),
        request_to_first_step_idle=round(idle, 2),
    )
