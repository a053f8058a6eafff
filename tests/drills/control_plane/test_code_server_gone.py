"""Drill 7. There is no code server when a run fails, and the code server comes back later.

The daemon must not forget the failure: once the code server is back, the run is retried once, and the retry continues.
"""

import time

from tests.drills.support.claims import assert_retried
from tests.drills.support.cluster import stop_component


def test_a_run_that_failed_without_a_code_server_is_retried_when_there_is_one(platform, expected_digests) -> None:
    run, began = platform.train_for()
    with stop_component("deployment", "code-server"):
        struck = time.time()
        platform.kubectl("delete", "pod", platform.find_pod(run)["metadata"]["name"], "--wait=false")
        assert platform.webserver.wait_for_run(run, 120) == "FAILURE"
        time.sleep(15)  # the daemon searches for failed runs three times
    platform.webserver.wait_for_location(60)
    assert_retried(platform, expected_digests, "code server gone as a run fails", run, began, struck, warned=True)
