"""Drill 17. Several losses: the nodes of the worker and of a code server at once, or half of all nodes at once.

In a third drill the retry is sent to a node that is dead as well. The retry fails before Kubernetes notices the loss,
and its own retry goes to another node. In the last drill ten workers are lost one after the other. The run completes
with the same bytes, and each attempt continues where the one before it ended.
"""

import json
import time
from contextlib import ExitStack

from tests.drills.support.claims import assert_retried
from tests.drills.support.cluster import SPOT, cordon, kubectl, list_pods, make_selector
from tests.drills.support.platform import LONGEST
from tests.drills.support.victim import choose_victim, read_node

LOSSES = 10
# Seconds: Kubernetes notices no loss before this (the least default of --node-monitor-grace-period).
NOTICED_BY_KUBERNETES = 40


def list_nodes(*selector: str) -> list[str]:
    """The names of the nodes."""
    return [each["metadata"]["name"] for each in json.loads(kubectl("get", "nodes", *selector, "-o", "json"))["items"]]


def lose_at_once(
    platform, expected_digests, fault: str, run: str, began: float, lost: list[str], may_not_begin: int = 0
) -> None:
    with ExitStack() as stack:
        struck = time.time()
        for node in lost:
            platform.nodes.kill(node)
            stack.callback(platform.nodes.start, node)
        assert_retried(platform, expected_digests, fault, run, began, struck, may_not_begin=may_not_begin)


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
    # The first retry may be sent to a lost node, because Kubernetes does not know yet.
    lose_at_once(platform, expected_digests, "power loss of half of all nodes", run, began, lost, may_not_begin=1)


def test_a_retry_that_is_sent_to_a_node_that_is_dead_too_goes_on_elsewhere_before_kubernetes_notices(
    platform, expected_digests
) -> None:
    run, began = platform.train_for()
    worker = platform.find_pod(run)["spec"]["nodeName"]
    dead, *spared = [node for node in list_nodes("-l", SPOT) if node != worker]
    assert spared, "this drill needs three spot nodes"
    with ExitStack() as stack:
        with cordon(*spared):
            struck = time.time()
            for node in (worker, dead):
                platform.nodes.kill(node)
                stack.callback(platform.nodes.start, node)
            retry = platform.wait_until("the run is retried", lambda: platform.find_retry(run), 60)
            pod = platform.wait_until("its pod has a node", lambda: platform.find_placed_pod(retry), 30)
        assert read_node(pod) == dead
        fault = "power loss of the worker node and of the one for its retry"
        assert_retried(platform, expected_digests, fault, run, began, struck, may_not_begin=1)
        ended = platform.read_events(retry, "RunFailureEvent")[0]["at"]
        assert ended - struck < NOTICED_BY_KUBERNETES, "it waited for Kubernetes"


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
