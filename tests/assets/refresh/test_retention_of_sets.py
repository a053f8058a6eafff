"""Retention deletes what was never promoted. A rollback to any promotion must work after it, however old that is."""

import os
import time
from typing import Any

import dagster as dg

from credit_assets.definitions import build_defs
from credit_assets.promotion.table_pointer import open_pointer
from credit_assets.retention.stored.stored_objects import find_stored_removals
from credit_assets.settings.retention import Retention
from resources.deployment import Deployment
from resources.store.opening import open_store


def test_a_person_promotes_an_old_number_after_retention_ran(refresh: Any, instance: dg.DagsterInstance) -> None:
    refresh()
    refresh()
    store = open_store(os.environ["PLATFORM_STORE"])
    for each in find_stored_removals(store, instance, Retention(), time.time() + 1_000 * 86_400):
        each.delete()
    assert not [key for key in store.list_keys() if "/blocks/" in key]
    config = {"chosen": "1", "who": "Ada", "why": "the newer one is wrong"}
    job = build_defs(Deployment.from_environment()).resolve_job_def("promote_by_hand")
    ops = {"ops": {"promotion_by_hand": {"config": config}}}
    assert job.execute_in_process(instance=instance, run_config=ops).success
    latest = open_pointer(store, "loans").latest()
    assert latest.number == 3
    assert latest.value["set"] == open_pointer(store, "loans").at(1).value["set"]
