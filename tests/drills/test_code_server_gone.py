"""Drill 7. The code server is gone at the very moment a run fails, and comes back.

The failure is not forgotten: once the code server is back, the run is retried, once, and goes on.
"""

import time

import pytest

from tests.drills.claims import goes_on
from tests.drills.cluster import absent


class NeverRetried(AssertionError):
    """The run failed, the code server is back, and nobody retries the run."""


@pytest.mark.xfail(
    strict=True,
    raises=NeverRetried,
    reason="Dagster asks the code server for the retry when it reads of the failure, once: without an answer it gives "
    "the retry up for ever (dagster issues 20730, 14605)",
)
def test_a_run_that_failed_without_a_code_server_is_retried_when_there_is_one(platform, undisturbed) -> None:
    run, began = platform.train_until_struck()
    with absent("deployment", "code-server"):
        struck = time.time()
        platform.kubectl("delete", "pod", platform.pod(run)["metadata"]["name"], "--wait=false")
        assert platform.webserver.wait_for_run(run, 120) == "FAILURE"
        time.sleep(15)  # three looks of the daemon for failed runs
    platform.webserver.wait_for_location(60)
    fault = "code server gone as a run fails"
    try:
        platform.until("the run is retried", lambda: platform.retry_of(run), 90)
    except AssertionError as error:
        detected = platform.happened(run, "RunFailureEvent")[0]["at"] - struck
        platform.record(fault=fault, detected_after=round(detected, 1), work_lost=round(struck - began, 1))
        raise NeverRetried(str(error)) from None
    goes_on(platform, undisturbed, fault, run, began, struck)
