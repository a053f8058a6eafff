"""Drill 4. A person or a controller deletes the pod of a run while it trains: with a notice, or by force without one.

In both cases the run fails and is retried once. The retry repeats nothing that was committed, and makes the same bytes.
"""

import time

import pytest

from tests.drills.support.claims import assert_retried


@pytest.mark.parametrize(
    ("flags", "fault", "warned"),
    [
        (["--wait=false"], "run pod deleted", True),
        (["--force", "--grace-period=0"], "run pod deleted by force", False),
    ],
)
def test_a_run_whose_pod_was_deleted_goes_on_in_another(platform, expected_digests, flags, fault, warned) -> None:
    run, began = platform.train_for()
    pod = platform.find_pod(run)["metadata"]
    deleted = time.time()
    platform.kubectl("delete", "pod", pod["name"], *flags)
    retry = assert_retried(platform, expected_digests, fault, run, began, deleted, warned=warned)
    assert platform.find_pod(retry)["metadata"]["uid"] != pod["uid"]
