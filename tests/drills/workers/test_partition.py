"""Drill 15. The worker's node lives on and can't be reached: by anybody, or by the API server alone.

Cut off from all, its worker is given up, fenced, and retried elsewhere; healed, it says nothing more. Cut off from the
API server alone, it reaches PostgreSQL and S3 and is as well as any: it is not given up, whatever Kubernetes thinks of
its pod, and nothing runs beside it. (Stock Dagster gives it up, trains twice, publishes twice and turns the failed run
green.)
"""

import time

from tests.drills.support.claims import goes_on, is_unharmed, stays_failed


def test_a_worker_that_was_cut_off_and_given_up_says_nothing_more(platform, undisturbed) -> None:
    run, began = platform.train_until_struck()
    node = platform.pod(run)["spec"]["nodeName"]
    cut = time.time()
    with platform.nodes.struck(node, "NODE_CUT", "NODE_HEAL"):
        retry = goes_on(platform, undisturbed, "partition of the worker node", run, began, cut)
    stays_failed(platform, undisturbed, run, retry)


def test_a_worker_that_only_kubernetes_can_not_reach_works_on_alone(platform, undisturbed) -> None:
    run, _ = platform.train_until_struck()
    with platform.nodes.struck(platform.pod(run)["spec"]["nodeName"], "NODE_CUT_FROM_API", "NODE_HEAL"):
        fault = "worker node cut off from the API server alone"
        is_unharmed(platform, undisturbed, fault, run)
        time.sleep(60)  # Kubernetes gives the node up
    time.sleep(15)
    assert platform.retry_of(run) is None, "a run that ended well was retried"
    assert platform.webserver.read_run(run)["status"] == "SUCCESS"
