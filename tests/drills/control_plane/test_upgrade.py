"""Drill 13. The release is upgraded, and rolled back, while a run is under way.

Every pod of the control plane is another one afterwards; the pod of the run is the same, and its run ends well by
itself with the same bytes.
"""

import time

import pytest

from tests.drills.support.claims import is_unharmed
from tests.drills.support.cluster import CHART, RELEASE, component, helm, pods

PARTS = {"dagsterWebserver": "webserver", "dagsterDaemon": "daemon", "codeServer": "code-server"}


@pytest.fixture(scope="module")
def upgrade() -> list[str]:
    """What changes nothing but every pod of the control plane."""
    marks = [f"{values}.podAnnotations.drill=at-{time.time():.0f}" for values in PARTS]
    return ["upgrade", RELEASE, CHART, "--reset-then-reuse-values", "--set", ",".join(marks)]


@pytest.mark.parametrize("how", ["upgrade", "rollback"])
def test_a_run_is_not_touched_by_a_new_release(platform, undisturbed, upgrade, how) -> None:
    run, _ = platform.train_until_struck()
    pod = platform.pod(run)["metadata"]["uid"]
    before = {part: pods(component(part))[0]["metadata"]["uid"] for part in PARTS.values()}
    helm(*(upgrade if how == "upgrade" else ["rollback", RELEASE]))
    for part in PARTS.values():
        after = [pod["metadata"]["uid"] for pod in pods(component(part)) if "deletionTimestamp" not in pod["metadata"]]
        assert before[part] not in after, f"{part} was not replaced"
    is_unharmed(platform, undisturbed, f"helm {how} in mid-run", run)
    assert platform.pod(run)["metadata"]["uid"] == pod
