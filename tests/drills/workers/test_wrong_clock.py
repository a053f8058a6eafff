"""Drill 18. The clock of a worker is a minute ahead, or behind, and its node loses power.

A lease ends by the clock of the database, and the watcher uses its own clock. So the loss is noticed as fast as any
other. The retry's clock is wrong too: the retry is not taken for lost, it succeeds, and its model is promoted.
"""

import json
import time

import pytest

from tests.drills.support.adapter import read_setting
from tests.drills.support.claims import assert_retried
from tests.drills.support.cluster import upgrade_release

MAP, FOLDER, LIBRARY = "drill-clock", "/clock", "libfaketime.so.1"
RUNS = "runLauncher.config.k8sRunLauncher"


@pytest.fixture(params=[60, -60])
def seconds(platform, request):
    """Sets the clocks of all workers wrong until the end; the seconds by which they are ahead."""
    platform.kubectl("create", "configmap", MAP, f"--from-file={LIBRARY}={read_setting('CLOCK_LIBRARY')}")
    variables = [f"LD_PRELOAD={FOLDER}/{LIBRARY}", f"FAKETIME={request.param:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC=1"]
    values = {
        "envVars": variables,
        "volumes": [{"name": "clock", "configMap": {"name": MAP}}],
        "volumeMounts": [{"name": "clock", "mountPath": FOLDER, "readOnly": True}],
    }
    flags = [word for name, value in values.items() for word in ("--set-json", f"{RUNS}.{name}={json.dumps(value)}")]
    try:
        with upgrade_release(*flags):
            platform.webserver.wait_for_location(120)
            platform.ahead = request.param
            yield request.param
    finally:
        platform.kubectl("delete", "configmap", MAP)


def test_a_worker_with_a_wrong_clock_is_noticed_as_fast_and_its_retry_lives(
    expected_digests, platform, seconds
) -> None:
    run, began = platform.train_for()
    (event,) = platform.read_events(run, "RunStartEvent")
    assert abs(event["at"] - platform.webserver.read_run(run)["creationTime"] - seconds) < 30, "its clock is right"
    node, struck = platform.find_pod(run)["spec"]["nodeName"], time.time()
    platform.nodes.kill(node)
    try:
        fault = f"power loss of a worker node whose clock is {seconds:+d} s off"
        assert_retried(platform, expected_digests, fault, run, began, struck, notice=30)
    finally:
        platform.nodes.start(node)
