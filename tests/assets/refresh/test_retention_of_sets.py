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


def promote(instance: dg.DagsterInstance, chosen: str) -> dg.ExecuteInProcessResult:
    config = {"chosen": chosen, "who": "Ada", "why": "the newer one is wrong"}
    job = build_defs(Deployment.from_environment()).resolve_job_def("promote_by_hand")
    ops = {"ops": {"promotion_by_hand": {"config": config}}}
    return job.execute_in_process(instance=instance, run_config=ops, raise_on_error=False)


def test_a_person_promotes_an_old_number_after_retention_ran(refresh: Any, instance: dg.DagsterInstance) -> None:
    refresh()
    refresh()
    store = open_store(os.environ["PLATFORM_STORE"])
    for each in find_stored_removals(store, instance, Retention(), time.time() + 1_000 * 86_400):
        each.delete()
    assert not [key for key in store.list_keys() if "/blocks/" in key]
    assert promote(instance, "1").success
    latest = open_pointer(store, "loans").latest()
    assert latest.number == 3
    assert latest.value["set"] == open_pointer(store, "loans").at(1).value["set"]


def test_while_retention_deletes_a_set_is_promoted_by_its_number_only(
    refresh: Any, instance: dg.DagsterInstance
) -> None:
    run = refresh().run.run_id
    pointer = open_pointer(open_store(os.environ["PLATFORM_STORE"]), "loans")
    job = build_defs(Deployment.from_environment()).resolve_job_def("apply_retention")
    deletes = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    refused = promote(instance, run)
    assert not refused.success
    (failure,) = refused.filter_events(lambda event: event.is_step_failure)
    assert f"run {deletes.run_id} deletes old sets" in str(failure.step_failure_data.error)
    assert pointer.latest().number == 1
    assert promote(instance, "1").success
    instance.report_run_failed(deletes)
    assert promote(instance, run).success, "retention has ended"
