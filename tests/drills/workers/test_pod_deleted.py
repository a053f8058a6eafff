"""Drill 4. Somebody, or a controller, deletes the pod of a run while it trains: in order, or at once without a signal.

Either way the run ends red, is retried once, repeats nothing that was committed and makes the same bytes.
"""

import time

import pytest

from tests.drills.support.claims import goes_on


@pytest.mark.parametrize(
    ("how", "fault"),
    [
        (["--wait=false"], "run pod deleted"),
        (["--force", "--grace-period=0"], "run pod deleted by force"),
    ],
)
def test_a_run_whose_pod_was_deleted_goes_on_in_another(platform, undisturbed, how, fault) -> None:
    run, began = platform.train_until_struck()
    pod = platform.pod(run)["metadata"]
    deleted = time.time()
    platform.kubectl("delete", "pod", pod["name"], *how)
    retry = goes_on(platform, undisturbed, fault, run, began, deleted)
    assert platform.pod(retry)["metadata"]["uid"] != pod["uid"]
