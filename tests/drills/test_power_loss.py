"""Drill 3. The worker node loses power, without a word, while a model is trained on it."""

import time


def test_a_run_whose_node_vanished_is_noticed_and_goes_on_elsewhere(platform, undisturbed) -> None:
    run = platform.train_long()
    (began,) = platform.until("training has begun", lambda: platform.training_since(run, 5), 300)
    node = platform.pod(run)["spec"]["nodeName"]
    lost = time.time()
    platform.nodes.kill(node)
    try:
        assert platform.webserver.wait_for_run(run, 300) == "FAILURE"
        retry = platform.until("the run is retried", lambda: platform.retry_of(run), 60)
        platform.until("training runs again", lambda: platform.step_starts(retry, "training"), 120)
        assert platform.webserver.wait_for_run(retry, 600) == "SUCCESS"
        assert platform.webserver.run(run)["status"] == "FAILURE", "a lost run does not turn green"
        assert not platform.step_starts(retry, "loan_dataset"), "what was committed was computed again"
        assert platform.artifacts(run, retry) == undisturbed
        platform.record_loss("power loss of the worker node", run, retry, began, lost)
    finally:
        platform.nodes.start(node)
