"""Drill 15. The worker's node is alive and can't be reached: by nobody, or not by the API server.

If nobody can reach it, its run is failed, its writes are refused, and the run is retried elsewhere. When the node can
be reached again, the worker writes nothing more. If only the API server can't reach it, the worker still reaches
PostgreSQL and S3. Its run is not failed, whatever Kubernetes reports about the pod, and no retry runs beside it.
(Dagster without this project fails the run, trains twice, publishes twice and then marks the failed run a success.)
"""

import time

from tests.drills.support.claims import assert_retried, assert_stays_failed, assert_unharmed


def test_a_worker_that_was_cut_off_and_given_up_says_nothing_more(platform, expected_digests) -> None:
    run, began = platform.train_for()
    node = platform.find_pod(run)["spec"]["nodeName"]
    cut = time.time()
    with platform.nodes.strike(node, "NODE_CUT", "NODE_HEAL"):
        retry = assert_retried(platform, expected_digests, "partition of the worker node", run, began, cut)
    assert_stays_failed(platform, expected_digests, run, retry)


def test_a_worker_that_only_kubernetes_can_not_reach_works_on_alone(platform, expected_digests) -> None:
    run, _ = platform.train_for()
    with platform.nodes.strike(platform.find_pod(run)["spec"]["nodeName"], "NODE_CUT_FROM_API", "NODE_HEAL"):
        fault = "worker node cut off from the API server alone"
        assert_unharmed(platform, expected_digests, fault, run)
        time.sleep(60)  # Kubernetes marks the node as unreachable
    time.sleep(15)
    assert platform.find_retry(run) is None, "a run that ended well was retried"
    assert platform.webserver.read_run(run)["status"] == "SUCCESS"
