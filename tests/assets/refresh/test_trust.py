"""Whom a retry believes, on a real PostgreSQL and a real Dagster instance.

Without this whoever can write to the store makes a retry load a model of theirs, which executes their code; or a run
that is under way during an upgrade fails.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
import obstore
import pytest

from resources.history.facts import announcements
from resources.history.step_log import DagsterStepLog
from resources.history.tags import ANNOUNCES
from resources.store.artifacts import MANIFEST
from resources.store.object_store import ObjectStore
from resources.store.opening import open_store
from tests.support.jobs import reconstructable_job

ASSETS = ("loan_dataset", "test_split", "trained_model", "model_metrics", "benchmark")


@pytest.fixture
def store(lending: Any) -> ObjectStore:
    return open_store(os.environ["PLATFORM_STORE"])


@pytest.fixture
def retry(instance: dg.DagsterInstance) -> Callable[[str], bool]:
    """Retries all steps of a run, as after a worker that died before its last event; whether it ended well."""

    def run(parent: str) -> bool:
        with dg.execute_job(
            reconstructable_job(),
            instance=instance,
            reexecution_options=dg.ReexecutionOptions(parent_run_id=parent),
            tags={"dagster/root_run_id": parent, "dagster/parent_run_id": parent},
            raise_on_error=False,
        ) as retried:
            return retried.success

    return run


@contextmanager
def old_release() -> Iterator[None]:
    """Runs that begin here work as the release before did: no tag and no announcement."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DagsterStepLog, "write_fact", lambda *_: None)
        patch.setattr("resources.store.checkpoints.ANNOUNCES", "test/another-tag")
        yield


def failure(instance: dg.DagsterInstance) -> str:
    (run,) = instance.get_runs(limit=1)
    records = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE).records
    (event,) = [record.event_log_entry.dagster_event for record in records]
    assert event
    return str(event.step_failure_data.error)


def announced(instance: dg.DagsterInstance, run: str) -> dict[str, str]:
    entries = [record.event_log_entry for record in instance.get_records_for_run(run).records]
    return {each.place: each.manifest_sha256 for each in announcements(entries)}


def overwrite_manifest(store: ObjectStore, place: str, change: dict[str, Any]) -> None:
    key = f"{place}/{MANIFEST}"
    forged = json.dumps(json.loads(store.read(key)) | change, indent=1, sort_keys=True).encode()
    obstore.delete(store.client, key)
    store.create(key, forged)


def test_every_artifact_is_announced_by_its_run_with_the_digest_that_is_logged_after_it(
    refresh: Any, instance: dg.DagsterInstance
) -> None:
    done = refresh()
    assert announced(instance, done.run.run_id) == {
        done.logged(asset, "checkpoint/place"): done.logged(asset, "checkpoint/manifest_sha256") for asset in ASSETS
    }
    run = instance.get_run_by_id(done.run.run_id)
    assert run
    assert run.tags[ANNOUNCES] == run.run_id


def test_a_retry_refuses_a_manifest_that_somebody_wrote_to_the_store(
    refresh: Any, retry: Any, store: ObjectStore, instance: dg.DagsterInstance
) -> None:
    done = refresh()
    assert retry(done.run.run_id)
    overwrite_manifest(store, done.logged("trained_model", "checkpoint/place"), {"facts": {}})
    assert not retry(done.run.run_id)
    assert "no attempt of this run announced it" in failure(instance)


def test_a_forged_manifest_of_an_old_release_is_refused_in_a_run_of_this_one(
    refresh: Any, retry: Any, store: ObjectStore, instance: dg.DagsterInstance
) -> None:
    done = refresh()
    overwrite_manifest(store, done.logged("loan_dataset", "checkpoint/place"), {"manifest_version": 1})
    assert not retry(done.run.run_id)
    assert "no attempt of this run announced it" in failure(instance)


def test_what_a_run_of_the_release_before_committed_is_adopted_by_a_retry_of_this_one(
    refresh: Any, retry: Any, instance: dg.DagsterInstance
) -> None:
    with old_release():
        done = refresh()
    assert not announced(instance, done.run.run_id)
    assert retry(done.run.run_id)
    (again,) = instance.get_runs(limit=1)
    records = instance.get_records_for_run(again.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION).records
    made = [each.event_log_entry.asset_materialization for each in records]
    adopted = {each.asset_key.to_user_string(): each.metadata for each in made if each}
    assert {str(adopted[asset]["computed by run"].value) for asset in ASSETS} == {done.run.run_id}


def test_a_forged_manifest_that_names_the_new_run_of_an_upgrade_is_refused(
    refresh: Any, retry: Any, store: ObjectStore, instance: dg.DagsterInstance
) -> None:
    with old_release():
        done = refresh()
    assert retry(done.run.run_id)
    (new,) = instance.get_runs(limit=1)
    overwrite_manifest(store, done.logged("loan_dataset", "checkpoint/place"), {"run": new.run_id})
    assert not retry(done.run.run_id)
    assert "no attempt of this run announced it" in failure(instance)
