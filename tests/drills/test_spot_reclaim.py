"""Drill 2. A spot node is taken back with notice while a model is trained on it."""

import time


def test_a_reclaimed_run_goes_on_elsewhere_without_repeating_what_was_committed(platform, undisturbed) -> None:
    run = platform.train_long()
    (began,) = platform.until("training has begun", lambda: platform.training_since(run, 5), 300)
    node = platform.pod(run)["spec"]["nodeName"]
    noticed = time.time()
    drain = platform.nodes.reclaim(node)
    try:
        assert platform.webserver.wait_for_run(run, 120) == "FAILURE"
        retry = platform.until("the run is retried", lambda: platform.retry_of(run), 60)
        platform.until("training runs again", lambda: platform.step_starts(retry, "training"), 120)
        assert platform.webserver.wait_for_run(retry, 600) == "SUCCESS"
        assert platform.pod(retry)["spec"]["nodeName"] != node
        assert not platform.step_starts(retry, "loan_dataset"), "what was committed was computed again"
        assert platform.artifacts(run, retry) == undisturbed
        platform.record_loss("reclaim, 30 s notice", run, retry, began, noticed)
    finally:
        drain.wait(120)
        platform.nodes.start(node)
