"""Drill 18. The clock of a worker is a minute ahead, or behind, and its node loses power.

A lease ends by the database's clock and is watched by the watcher's own, so that the loss is noticed as fast as any
other. The retry's clock is as wrong: it is not taken for dead, ends well, and its model is promoted.
"""

import json
import time

import pytest

from tests.drills.adapter import setting
from tests.drills.claims import goes_on

MAP, FOLDER, LIBRARY = "drill-clock", "/clock", "libfaketime.so.1"


@pytest.fixture
def clock(platform):
    """The tags of a run whose workers' clocks are wrong by so many seconds, until the drill has ended."""
    library = setting("CLOCK_LIBRARY")
    platform.kubectl("create", "configmap", MAP, f"--from-file={LIBRARY}={library}")

    def wrong_by(seconds: int) -> dict[str, str]:
        wrong = {"LD_PRELOAD": f"{FOLDER}/{LIBRARY}", "FAKETIME": f"{seconds:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        environment = [{"name": name, "value": value} for name, value in wrong.items()]
        mount = {"name": "clock", "mount_path": FOLDER, "read_only": True}
        config = {
            "container_config": {"env": environment, "volume_mounts": [mount]},
            "pod_spec_config": {"volumes": [{"name": "clock", "config_map": {"name": MAP}}]},
        }
        platform.ahead = seconds
        return {"dagster-k8s/config": json.dumps(config)}

    yield wrong_by
    platform.kubectl("delete", "configmap", MAP)


@pytest.mark.parametrize("seconds", [60, -60])
def test_a_worker_with_a_wrong_clock_is_noticed_as_fast_and_its_retry_lives(
    platform, undisturbed, clock, seconds
) -> None:
    run, began = platform.train_until_struck(tags=clock(seconds))
    (event,) = platform.happened(run, "RunStartEvent")
    assert abs(event["at"] - platform.webserver.run(run)["creationTime"] - seconds) < 30, "its clock is right"
    node, struck = platform.pod(run)["spec"]["nodeName"], time.time()
    platform.nodes.kill(node)
    try:
        fault = f"power loss of a worker node whose clock is {seconds:+d} s off"
        goes_on(platform, undisturbed, fault, run, began, struck, notice=30)
    finally:
        platform.nodes.start(node)
