"""Drill 14. With a pod for each step (executor=k8s_job), the pod of the training step is lost, and the pod of the run.

Either way the run is retried once as a whole, and the retry repeats nothing that was committed and makes the same
bytes. No pod of a step outlives the run that it belongs to, where it would compute beside the retry.
"""

import time
from collections.abc import Iterator

import pytest

from tests.drills.support.claims import goes_on
from tests.drills.support.cluster import pods, upgraded


@pytest.fixture(scope="module", autouse=True)
def a_pod_for_each_step() -> Iterator[None]:
    with upgraded("--set", "executor=k8s_job"):
        yield


def of_step(run: str, step: str):
    return pods(f"dagster/run-id={run},dagster/op={step}")


@pytest.mark.parametrize("lost", ["step", "run"])
def test_a_lost_pod_costs_its_step_and_leaves_none_behind(platform, undisturbed, lost) -> None:
    run, began = platform.train_until_struck()
    (step,) = of_step(run, "training")
    pod = step if lost == "step" else platform.pod(run)
    assert pod["metadata"]["uid"] != platform.pod(run)["metadata"]["uid"] or lost == "run"
    struck = time.time()
    platform.kubectl("delete", "pod", pod["metadata"]["name"], "--force", "--grace-period=0")
    goes_on(platform, undisturbed, f"pod per step: pod of the {lost} lost", run, began, struck)
    alive = [each for each in of_step(run, "training") if each["status"]["phase"] in {"Pending", "Running"}]
    assert not alive, "a step outlived its run"
