"""Drill 21. The node of a wave's worker loses power in the middle of 2,000 locations.

The wave goes on elsewhere as soon as a training does. It makes at most one chunk again, and every location is scored
and recorded once.
"""

import time
from collections.abc import Iterator

import pytest

from tests.drills.support.platform import Platform
from tests.drills.waves.support import (
    JOB,
    STEP,
    add_locations,
    assert_scored_once,
    find_wave_start,
    read_places,
    score_all,
)

# Nine copies of the 200 locations that the release's own database is filled with.
COPIES = 9
# Chunks that are committed before the loss, and seconds until the wave runs again: at worst those of a training.
CHUNKS, WORST = 3, 30


@pytest.fixture
def locations(platform: Platform) -> Iterator[int]:
    """How many locations there are, with those that this drill adds."""
    with add_locations(platform, COPIES) as count:
        yield count


def test_a_wave_whose_node_vanished_goes_on_elsewhere_and_scores_each_location_once(
    platform, locations, drill_round
) -> None:
    expected = score_all(platform)
    run = platform.launch(JOB)
    began = platform.wait_until("chunks are committed", lambda: find_wave_start(platform, run, CHUNKS), 300)
    node, lost = platform.find_pod(run)["spec"]["nodeName"], time.time()
    platform.nodes.kill(node)
    try:
        assert platform.webserver.wait_for_run(run, 30) == "FAILURE"
        assert platform.count_committed(run) < locations, "the node was lost too late for this drill"
        retry = platform.wait_until("the wave is retried", lambda: platform.find_retry(run), 90)
        platform.wait_until("it runs again", lambda: platform.read_step_starts(retry, STEP), 120)
        assert platform.webserver.wait_for_run(retry, 600) == "SUCCESS"
        repeated = read_places(platform, run) & read_places(platform, retry)
        assert len(repeated) <= 1, f"made again: {sorted(repeated)}"
        assert_scored_once(platform, locations, expected, run, retry)
        platform.assert_complete(run, retry, beside_others=True)
        (again,) = platform.read_step_starts(retry, STEP)
        assert again - lost <= WORST, f"it ran again after {again - lost:.1f} s"
        platform.record_lost(
            "power loss of the node of a wave's worker",
            run,
            began,
            lost,
            running_again_after=round(again - lost, 1),
            chunks_made_again=len(repeated),
            **platform.count_repetitions(run, retry),
        )
    finally:
        platform.nodes.start(node)
