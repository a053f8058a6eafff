"""Drill 3. The worker node loses power, without a word, while a model is trained on it.

The run is noticed, ends red and stays red, and is retried once, elsewhere, without repeating what was committed. Of
what it printed, the UI shows all but the last seconds: an interval of the upload, and the time that one upload takes.
So is one whose worker was still importing.
"""

import time

from tests.drills.support.claims import goes_on

# Seconds between two uploads of a log (uploadInterval in the values), and what one upload may take.
INTERVAL, UPLOAD = 15, 5


def test_a_run_whose_node_vanished_is_noticed_and_goes_on_elsewhere(platform, undisturbed, drill_round) -> None:
    # Longer than an interval: with a log that is not uploaded at all, more than an interval would be missing.
    run, began = platform.train_until_struck(INTERVAL + UPLOAD)
    node = platform.pod(run)["spec"]["nodeName"]
    said = platform.said(run)
    lost = time.time()
    platform.nodes.kill(node)
    try:
        log_lost = missing_since(said, platform.printed(run), lost)
        assert log_lost <= INTERVAL + UPLOAD, (
            f"what the lost run printed is missing from {log_lost:.0f} s before its end"
        )
        goes_on(platform, undisturbed, "power loss of the worker node", run, began, lost, notice=30, log_lost=log_lost)
    finally:
        platform.nodes.start(node)


def test_a_node_that_is_lost_before_the_run_began_is_noticed_as_well(platform, undisturbed) -> None:
    run = platform.train_long()
    leased = f"SELECT name FROM leases WHERE name = 'run/{run}'"
    platform.until("its worker has a lease", lambda: platform.sql(leased, "dagster"), 120)
    node, lost = platform.pod(run)["spec"]["nodeName"], time.time()
    platform.nodes.kill(node)
    try:
        assert platform.webserver.wait_for_run(run, 30) == "FAILURE"
        assert not platform.happened(run, "RunStartEvent"), "its node was lost too late for this drill"
        retry = platform.until("the run is retried", lambda: platform.retry_of(run), 60)
        assert platform.webserver.wait_for_run(retry, 600) == "SUCCESS"
        assert platform.artifacts(retry) == undisturbed
        (failed,) = platform.happened(run, "RunFailureEvent")
        (again,) = platform.step_starts(retry, "loan_dataset")
        after = {"detected_after": round(failed["at"] - lost, 1), "running_again_after": round(again - lost, 1)}
        fault = "power loss of the worker node before its run began"
        platform.record(fault=fault, **after, work_lost=0.0, **platform.counted(run, retry))
    finally:
        platform.nodes.start(node)


def missing_since(said: list[tuple[float, str]], shown: str, lost: float) -> float:
    """Seconds from the first line that is not shown to the loss; 0 if all are."""
    assert said, "the run printed nothing, so that nothing could be missing"
    missing = [at for at, message in said if message.splitlines()[0] not in shown]
    return round(lost - min(missing), 1) if missing else 0.0
