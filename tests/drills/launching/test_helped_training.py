"""Drill 23. Two helpers grow trees of a long training, and one of them is lost.

The training does not wait for the lost one, and its model has the bytes of a training that nobody helps.
"""

import time

from credit_assets.helping.helper_run import GROW
from credit_assets.helping.order import HELPERS, PLACE
from tests.drills.support.platform import LONGEST, Platform

HELPING = 2


def find_helper(platform: Platform, run: str, part: int) -> str | None:
    """The run that helps with a part, if its step has begun."""
    place = platform.run_sql(f"SELECT value FROM run_tags WHERE run_id = '{run}' AND key = '{PLACE}'", "dagster")
    found = platform.find_runs("dagster/run_key", f"{place} {part} of {HELPING}") if place else []
    platform.runs += [each for each in found if each not in platform.runs]
    return next((each for each in found if platform.read_step_starts(each, GROW)), None)


def test_a_training_that_three_pods_grow_leaves_the_same_model_although_a_helper_is_lost(platform, undisturbed) -> None:
    # It takes longer than its helpers need to begin.
    helped = platform.train_long(LONGEST, tags={HELPERS: str(HELPING)})
    lost, whole = (
        platform.wait_until(f"helper {part} works", lambda part=part: find_helper(platform, helped, part), 120)
        for part in (1, 2)
    )
    struck = time.time()
    platform.kubectl("delete", "pod", platform.find_pod(lost)["metadata"]["name"], "--force", "--grace-period=0")
    assert platform.webserver.wait_for_run(lost, 60) == "FAILURE"
    assert platform.webserver.wait_for_run(helped, 600) == "SUCCESS"
    assert platform.read_digests(helped) == undisturbed(LONGEST)
    assert platform.find_retry(helped) is None, "the loss of a helper disturbed the training"
    assert platform.webserver.wait_for_run(whole, 120) == "SUCCESS"
    assert platform.count_committed(whole) > 0
    retry = platform.wait_until("the lost helper is retried", lambda: platform.find_retry(lost), 90)
    assert platform.webserver.wait_for_run(retry, 120) == "SUCCESS"
    (failed,) = platform.read_events(lost, "RunFailureEvent")
    platform.record(
        fault="a helper of a training lost",
        detected_after=round(failed["at"] - struck, 1),
        trees_of_the_other_helper=platform.count_committed(whole),
    )
