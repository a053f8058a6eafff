"""Drill 3. The worker's node loses power, without notice, while a model is trained on it.

The loss is noticed, the run fails and stays failed, and it is retried once on another node. The retry repeats nothing
that was committed. The UI shows the run's output except for the last seconds: an interval of the upload, and the time
of one upload. In a second drill the worker is lost while it still imports; its run is retried too.
"""

import time

from tests.drills.support.claims import assert_retried
from tests.drills.support.history import measure_missing
from tests.drills.support.platform import LONG
from tests.drills.support.report import draw_moment

# Seconds between two uploads of a log (uploadInterval in the values), and seconds that one upload may take.
INTERVAL, UPLOAD = 15, 5


def test_a_run_whose_node_vanished_is_noticed_and_goes_on_elsewhere(
    platform, expected_long_digests, drill_round
) -> None:
    # It trains for more than an interval. If the log were not uploaded at all, more than an interval would be missing.
    trained = round(INTERVAL + UPLOAD + draw_moment(drill_round, INTERVAL / 2), 1)
    run, began = platform.train_for(trained, lasting=LONG)
    node = platform.find_pod(run)["spec"]["nodeName"]
    printed = platform.read_observation_times(run)
    lost = time.time()
    platform.nodes.kill(node)
    try:
        log_lost = measure_missing(printed, platform.read_output(run), lost)
        assert log_lost <= INTERVAL + UPLOAD, (
            f"what the lost run printed is missing from {log_lost:.0f} s before its end"
        )
        fault = "power loss of the worker node"
        assert_retried(
            platform,
            expected_long_digests,
            fault,
            run,
            began,
            lost,
            notice=30,
            log_lost=log_lost,
            trained_before=trained,
        )
    finally:
        platform.nodes.start(node)


def test_a_node_that_is_lost_before_the_run_began_is_noticed_as_well(platform, expected_digests) -> None:
    run = platform.train_long()
    leased = f"SELECT name FROM leases WHERE name = 'run/{run}'"
    platform.wait_until("its worker has a lease", lambda: platform.run_sql(leased, "dagster"), 120)
    node, lost = platform.find_pod(run)["spec"]["nodeName"], time.time()
    platform.nodes.kill(node)
    try:
        assert platform.webserver.wait_for_run(run, 30) == "FAILURE"
        assert not platform.read_events(run, "RunStartEvent"), "the node was lost too late for this drill"
        retry = platform.wait_until("the run is retried", lambda: platform.find_retry(run), 60)
        assert platform.webserver.wait_for_run(retry, 600) == "SUCCESS"
        assert platform.read_digests(retry) == expected_digests
        (failed,) = platform.read_events(run, "RunFailureEvent")
        (again,) = platform.read_step_starts(retry, "loan_dataset")
        after = {"detected_after": round(failed["at"] - lost, 1), "running_again_after": round(again - lost, 1)}
        fault = "power loss of the worker node before its run began"
        platform.record(fault=fault, **after, work_lost=0.0, **platform.count_repetitions(run, retry))
    finally:
        platform.nodes.start(node)
