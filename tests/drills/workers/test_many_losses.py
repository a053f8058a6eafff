"""Drill 17. Several losses: the nodes of the worker and of a code server at once, or half of all nodes at once.

In a third drill ten workers are lost one after the other. The run completes with the same bytes, and each attempt
continues where the one before it ended.
"""

import json
import time
from contextlib import ExitStack

from tests.drills.support.claims import assert_retried
from tests.drills.support.cluster import SPOT, kubectl, list_pods, make_selector
from tests.drills.support.platform import LONGEST
from tests.drills.support.victim import choose_victim

LOSSES = 10


def list_nodes(*selector: str) -> list[str]:
    """The names of the nodes."""
    return [each["metadata"]["name"] for each in json.loads(kubectl("get", "nodes", *selector, "-o", "json"))["items"]]


def lose_at_once(platform, expected_digests, fault: str, run: str, began: float, lost: list[str]) -> None:
    with ExitStack() as stack:
        struck = time.time()
        for node in lost:
            platform.nodes.kill(node)
            stack.callback(platform.nodes.start, node)
        assert_retried(platform, expected_digests, fault, run, began, struck)


def test_the_worker_and_a_code_server_are_lost_at_once(platform, expected_digests) -> None:
    server = choose_victim(platform, "code-server")
    run, began = platform.train_for()
    worker = platform.find_pod(run)["spec"]["nodeName"]
    assert worker != server, "the release's own pods are on spot nodes: with one node lost this is no drill"
    fault = "power loss of the worker node and a code server's"
    lose_at_once(platform, expected_digests, fault, run, began, [worker, server])


def test_half_of_all_nodes_are_lost_at_once(platform, expected_digests) -> None:
    run, began = platform.train_for()
    worker = platform.find_pod(run)["spec"]["nodeName"]
    (database,) = {pod["spec"]["nodeName"] for pod in list_pods(make_selector("postgresql"))}
    spared = [node for node in list_nodes("-l", SPOT) if node != worker][:1]
    others = [node for node in list_nodes() if node not in {worker, database, *spared}]
    lost = [worker, *others][: (len(list_nodes()) + 1) // 2]
    assert len(lost) >= len(list_nodes()) / 2
    lose_at_once(platform, expected_digests, "power loss of half of all nodes", run, began, lost)


def test_a_run_completes_though_ten_workers_in_a_row_are_lost(platform, undisturbed) -> None:
    runs = [platform.train_long(LONGEST)]
    began = time.time()
    for number in range(LOSSES):
        run = runs[-1]
        platform.wait_until(f"attempt {number} trains", lambda run=run: platform.find_training_start(run, 2), 180)
        pod = platform.find_pod(run)["metadata"]["name"]
        platform.kubectl("delete", "pod", pod, "--force", "--grace-period=0")
        assert platform.webserver.wait_for_run(run, 60) == "FAILURE"
        runs.append(platform.wait_until("the run is retried", lambda run=run: platform.find_retry(run), 90))
    assert platform.webserver.wait_for_run(runs[-1], 300) == "SUCCESS"
    seconds = round(time.time() - began, 1)
    platform.assert_complete(*runs)
    assert platform.read_digests(*runs) == undisturbed(LONGEST)
    for run in runs[1:]:
        assert not platform.read_step_starts(run, "loan_dataset"), "what was committed was computed again"
    platform.record(fault=f"{LOSSES} workers in a row", request_to_success=seconds, published_twice=0)
