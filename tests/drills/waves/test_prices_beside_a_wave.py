"""Drill 22. Prices are asked for while a wave is under way: their run starts about as soon as beside any other run.

Nothing is lost here. If a wave delayed prices, they would be old exactly when the newest scores arrive. Where nodes
share cores, each run that works slows down the next one's start. So the control is a training, which uses one core too.
"""

from collections.abc import Iterator
from statistics import median

import pytest

from tests.drills.support.platform import LONG, Platform
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
# Pricing runs on the idle release, beside a training and beside a wave; medians are compared, because one start varies
# by half where nodes share cores. FACTOR is how much longer a start may take beside a wave than beside a training.
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


def measure_starts(platform: Platform) -> tuple[float, float]:
    """Prices all segments some times. Returns the median of the seconds, and when the last first step was."""
    starts = [measure_start(platform) for _ in range(RUNS)]
    return median(seconds for seconds, _ in starts), starts[-1][1]


def train_unpromoted(platform: Platform) -> str:
    """Launches a long training whose model is not promoted, and waits until it has begun: scores stay the same."""
    trees = {"ops": {"training": {"config": {"n_estimators": platform.count_trees(LONG)}}}}
    run = platform.launch("__ASSET_JOB", ["loan_dataset", "test_split", "trained_model"], run_config=trees)
    platform.wait_until("training has begun", lambda: platform.find_training_start(run, 0), 300)
    return run


def read_end(platform: Platform, run: str) -> float:
    """When a run ended well, in Unix seconds."""
    assert platform.webserver.wait_for_run(run, 600) == "SUCCESS"
    (end,) = platform.read_events(run, "RunSuccessEvent")
    return end["at"]


def test_prices_that_are_asked_for_during_a_wave_start_about_as_soon_as_beside_a_training(
    platform, locations, drill_round
) -> None:
    expected = score_all(platform)
    idle, _ = measure_starts(platform)
    training = train_unpromoted(platform)
    control, last = measure_starts(platform)
    assert last < read_end(platform, training), "the training ended before the last pricing run started"
    wave = platform.launch(JOB)
    platform.wait_until("a chunk is committed", lambda: find_wave_start(platform, wave, 1), 300)
    beside, last = measure_starts(platform)
    assert last < read_end(platform, wave), "the wave ended before the last pricing run started: add more locations"
    platform.record(
        fault="none, prices beside a wave",
        request_to_first_step=round(beside, 2),
        request_to_first_step_beside_a_training=round(control, 2),
        request_to_first_step_idle=round(idle, 2),
    )
    assert beside <= FACTOR * control, (
        f"prices started after {beside:.1f} s, and after {control:.1f} s beside a training"
    )
    assert len(platform.read_step_starts(wave, STEP)) == 1, "the wave was disturbed"
    assert_scored_once(platform, locations, expected, wave)
