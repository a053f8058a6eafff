"""Drill 18. The clock of a worker is a minute ahead, or behind, and its node loses power.

A lease ends by the database's clock and is watched by the watcher's own, so that the loss is noticed as fast as any
other. The retry's clock is as wrong: it is not taken for dead, ends well, and its model is promoted.
"""

import json
import time

import pytest

from tests.drills.support.adapter import setting
from tests.drills.support.claims import goes_on
from tests.drills.support.cluster import upgraded

MAP, FOLDER, LIBRARY = "drill-clock", "/clock", "libfaketime.so.1"
RUNS = "runLauncher.config.k8sRunLauncher"


@pytest.fixture(params=[60, -60])
def seconds(platform, request):
    """By how much the clocks of all workers are ahead while the drill lasts."""
    platform.kubectl("create", "configmap", MAP, f"--from-file={LIBRARY}={setting('CLOCK_LIBRARY')}")
    wrong = [f"LD_PRELOAD={FOLDER}/{LIBRARY}", f"FAKETIME={request.param:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC=1"]
    given = {
        "envVars": wrong,
        "volumes": [{"name": "clock", "configMap": {"name": MAP}}],
        "volumeMounts": [{"name": "clock", "mountPath": FOLDER, "readOnly": True}],
    }
    flags = [word for name, value in given.items() for word in ("--set-json", f"{RUNS}.{name}={json.dumps(value)}")]
    try:
        with upgraded(*flags):
            platform.webserver.wait_for_location(120)
            platform.ahead = request.param
            yield request.param
    finally:
        platform.kubectl("delete", "configmap", MAP)


def test_a_worker_with_a_wrong_clock_is_noticed_as_fast_and_its_retry_lives(undisturbed, platform, seconds) -> None:
    run, began = platform.train_until_struck()
    (event,) = platform.happened(run, "RunStartEvent")
    assert abs(event["at"] - platform.webserver.read_run(run)["creationTime"] - seconds) < 30, "its clock is right"
    node, struck = platform.pod(run)["spec"]["nodeName"], time.time()
    platform.nodes.kill(node)
    try:
        fault = f"power loss of a worker node whose clock is {seconds:+d} s off"
        goes_on(platform, undisturbed, fault, run, began, struck, notice=30)
    finally:
        platform.nodes.start(node)
