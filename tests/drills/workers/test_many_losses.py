"""Drill 17. More than one thing is lost: the worker's node and the code server's at once, half of all nodes at once.

And one worker after the other, ten times in a row. The run completes, with the same bytes, and each attempt goes on
where the one before it was.
"""

import json
import time
from contextlib import ExitStack

from tests.drills.support.claims import goes_on
from tests.drills.support.cluster import SPOT, component, kubectl, pods
from tests.drills.support.victim import victim

# More trees than are grown between ten losses.
LOSSES, TREES = 10, 4000


def nodes(*selector: str) -> list[str]:
    return [each["metadata"]["name"] for each in json.loads(kubectl("get", "nodes", *selector, "-o", "json"))["items"]]


def lost_at_once(platform, undisturbed, fault: str, run: str, began: float, lost: list[str]) -> None:
    with ExitStack() as stack:
        struck = time.time()
        for node in lost:
            platform.nodes.kill(node)
            stack.callback(platform.nodes.start, node)
        goes_on(platform, undisturbed, fault, run, began, struck)


def test_the_worker_and_a_code_server_are_lost_at_once(platform, undisturbed) -> None:
    server = victim(platform, "code-server")
    run, began = platform.train_until_struck()
    worker = platform.pod(run)["spec"]["nodeName"]
    assert worker != server, "the release's own pods are on spot nodes: with one node lost this is no drill"
    fault = "power loss of the worker node and a code server's"
    lost_at_once(platform, undisturbed, fault, run, began, [worker, server])


def test_half_of_all_nodes_are_lost_at_once(platform, undisturbed) -> None:
    run, began = platform.train_until_struck()
    worker = platform.pod(run)["spec"]["nodeName"]
    (database,) = {pod["spec"]["nodeName"] for pod in pods(component("postgresql"))}
    spared = [node for node in nodes("-l", SPOT) if node != worker][:1]
    others = [node for node in nodes() if node not in {worker, database, *spared}]
    lost = [worker, *others][: (len(nodes()) + 1) // 2]
    assert len(lost) >= len(nodes()) / 2
    lost_at_once(platform, undisturbed, "power loss of half of all nodes", run, began, lost)


def test_a_run_completes_though_ten_workers_in_a_row_are_lost(platform) -> None:
    runs = [platform.train_long(TREES)]
    began = time.time()
    for number in range(LOSSES):
        run = runs[-1]
        platform.until(f"attempt {number} trains", lambda run=run: platform.training_since(run, 2), 180)
        pod = platform.pod(run)["metadata"]["name"]
        platform.kubectl("delete", "pod", pod, "--force", "--grace-period=0")
        assert platform.webserver.wait_for_run(run, 60) == "FAILURE"
        runs.append(platform.until("the run is retried", lambda run=run: platform.retry_of(run), 90))
    assert platform.webserver.wait_for_run(runs[-1], 300) == "SUCCESS"
    took = round(time.time() - began, 1)
    platform.assert_complete(*runs)
    undisturbed = platform.train_long(TREES)
    assert platform.webserver.wait_for_run(undisturbed, 600) == "SUCCESS"
    assert platform.artifacts(*runs) == platform.artifacts(undisturbed)
    for run in runs[1:]:
        assert not platform.step_starts(run, "loan_dataset"), "what was committed was computed again"
    platform.record(fault=f"{LOSSES} workers in a row", request_to_success=took, published_twice=0)
