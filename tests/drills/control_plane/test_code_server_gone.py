"""Drill 7. The code server is gone at the very moment a run fails, and comes back.

The failure is not forgotten: once the code server is back, the run is retried, once, and goes on.
"""

import time

from tests.drills.support.claims import goes_on
from tests.drills.support.cluster import absent


def test_a_run_that_failed_without_a_code_server_is_retried_when_there_is_one(platform, undisturbed) -> None:
    run, began = platform.train_until_struck()
    with absent("deployment", "code-server"):
        struck = time.time()
        platform.kubectl("delete", "pod", platform.pod(run)["metadata"]["name"], "--wait=false")
        assert platform.webserver.wait_for_run(run, 120) == "FAILURE"
        time.sleep(15)  # three looks of the daemon for failed runs
    platform.webserver.wait_for_location(60)
    goes_on(platform, undisturbed, "code server gone as a run fails", run, began, struck)
