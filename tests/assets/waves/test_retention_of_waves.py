"""Retention deletes old waves from the store. One that a person may still re-execute must be there with its chunks."""

import os
import time
from typing import Any

from credit_assets.retention.stored.stored_objects import find_stored_removals
from credit_assets.settings.retention import Retention
from resources.store.opening import open_store


def retain(waves: Any, days: float) -> list[str]:
    """Deletes what is old so many days from now, and returns the keys that waves have left."""
    store = open_store(os.environ["PLATFORM_STORE"])
    for each in find_stored_removals(store, waves.instance, Retention(), time.time() + days * 86_400):
        each.delete()
    return store.list_keys("wave")


def test_a_failed_wave_that_is_re_executed_after_retention_adopts_its_chunks(waves: Any, break_location: Any) -> None:
    break_location("branch-0003")
    first = waves.run()
    assert not first.success
    before = retain(waves, days=0)
    assert retain(waves, days=29) == before
    again = waves.retry(first.run_id)
    assert "branch-0003" in waves.find_reason(again)
    assert waves.recorded(again.run_id) == [], "nothing that was committed is scored again"
    assert waves.scores().keys() == waves.applications().keys() - {"branch-0003"}


def test_an_old_wave_leaves_its_scores_and_its_newest_report_and_the_model_in_use_scores_again(waves: Any) -> None:
    first, second = waves.run(), waves.run()
    left = retain(waves, days=31)
    assert left
    assert all(key.startswith(f"wave/{second.run_id}/") for key in left), first.run_id
    assert not any(key.endswith("plan.json") for key in left)
    assert waves.scores() == waves.applications()
    assert waves.run().success
