"""Drill 14. With a pod for each step (executor=k8s_job), the pod of the training step is lost, and the pod of the run.

In both cases the whole run is retried once. The retry repeats nothing that was committed, and makes the same bytes. No
pod of a step outlives its run, because it would compute beside the retry.
"""

import time
from collections.abc import Iterator

import pytest

from tests.drills.support.claims import assert_retried
from tests.drills.support.cluster import list_pods, upgrade_release


@pytest.fixture(scope="module", autouse=True)
def a_pod_for_each_step() -> Iterator[None]:
    with upgrade_release("--set", "executor=k8s_job"):
        yield


def list_step_pods(run: str, step: str):
    """The pods of one step of a run."""
    return list_pods(f"dagster/run-id={run},dagster/op={step}")


@pytest.mark.parametrize("lost", ["step", "run"])
def test_a_lost_pod_costs_its_step_and_leaves_none_behind(platform, expected_digests, lost) -> None:
    run, began = platform.train_for()
    (step,) = list_step_pods(run, "training")
    pod = step if lost == "step" else platform.find_pod(run)
    assert pod["metadata"]["uid"] != platform.find_pod(run)["metadata"]["uid"] or lost == "run"
    struck = time.time()
    platform.kubectl("delete", "pod", pod["metadata"]["name"], "--force", "--grace-period=0")
    assert_retried(platform, expected_digests, f"pod per step: pod of the {lost} lost", run, began, struck)
    alive = [each for each in list_step_pods(run, "training") if each["status"]["phase"] in {"Pending", "Running"}]
    assert not alive, "the pod of a step outlived its run"
