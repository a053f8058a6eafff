"""Which artifacts a retry and a later run read, and which they compute again.

Without this a model is measured on rows it learned from, trained on a dataset that failed its checks, or trained for
hours although it was trained already.
"""

import os
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from psycopg2.extensions import connection

from credit_assets.checks.verdict import Verdict
from tests.support.jobs import reconstructable_job
from tests.support.step_log import SharedLog


def test_a_retry_computes_only_what_was_not_committed(refresh: Any, instance: dg.DagsterInstance) -> None:
    first = refresh(config={"training": {"config": {"max_depth": 3}}})
    # The worker died after the model was committed and before the run ended: a retry of the whole run, same root.
    retry = dg.execute_job(
        reconstructable_job(),
        instance=instance,
        run_config=first.run.dagster_run.run_config,
        reexecution_options=dg.ReexecutionOptions(parent_run_id=first.run.run_id),
    )
    assert retry.success
    events = [event for event in retry.all_events if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION]
    *adopted, promoted, benchmark = [event.step_materialization_data.materialization for event in events]
    adopted.append(benchmark)
    assert len(adopted) == len(first.assets) - 1 == 5
    assert promoted.metadata["number"].value == first.logged("promoted_model", "number")
    for materialization in adopted:
        metadata = materialization.metadata
        assert metadata["computed by run"].value == first.run.run_id
        assert metadata["seconds"].value == 0.0
        assert metadata["sha256"].value == first.logged(materialization.asset_key.to_user_string(), "sha256")


def test_a_retry_reads_the_dataset_of_its_own_run_and_not_a_newer_one(
    refresh: Any, lending: connection, instance: dg.DagsterInstance
) -> None:
    settings = Path(os.environ["PLATFORM_SETTINGS"])
    declared = settings.read_text()
    settings.write_text(declared.replace("minimum_auc = 0.65", "minimum_auc = 1.0"))
    failed = refresh(raise_on_error=False)
    assert not failed.run.success
    settings.write_text(declared)
    with lending.cursor() as cursor:
        cursor.execute("DELETE FROM loans WHERE id > 1900")
    lending.commit()
    newer = refresh("loan_dataset")

    retry = dg.execute_job(
        reconstructable_job(),
        instance=instance,
        reexecution_options=dg.ReexecutionOptions.from_failure(failed.run.run_id, instance),
    )
    assert retry.success
    events = [event for event in retry.all_events if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION]
    made = ["model_metrics", "promoted_model", "benchmark"]
    assert [event.asset_key for event in events] == [dg.AssetKey(each) for each in made]
    metrics, *_ = events
    lineage = metrics.step_materialization_data.materialization.metadata
    assert lineage["content_sha256"].value == failed.logged("loan_dataset", "content_sha256")
    assert lineage["content_sha256"].value != newer.logged("loan_dataset", "content_sha256")


def test_another_run_reads_the_artifact_of_the_event_log_and_not_the_newest_file(refresh: Any) -> None:
    import pyarrow.parquet as pq

    from resources.store.checkpoints import Draft, Work
    from resources.store.formats import FORMATS
    from resources.store.opening import open_store

    latest = refresh("loan_dataset")
    store, log = open_store(os.environ["PLATFORM_STORE"]), SharedLog().attempt("stray")
    stray = Work(store, log, "loan_dataset", "stray", "stray", {"code": "1"}, FORMATS["parquet"])
    table = pq.read_table(latest.stored("loan_dataset")).slice(0, 1_000)
    newest = Draft(stray, table, latest.run.output_for_node("loan_dataset").facts, 0.0).commit()
    assert newest.sha256 != latest.logged("loan_dataset", "sha256")
    trained = refresh("test_split", "trained_model")
    assert trained.logged("trained_model", "loan_dataset_sha256") == latest.logged("loan_dataset", "sha256")


def test_a_failed_check_stops_later_steps_and_the_last_good_dataset_stays_the_latest(
    refresh: Any, lending: connection, instance: dg.DagsterInstance
) -> None:
    good = refresh()
    with lending.cursor() as cursor:
        cursor.execute("UPDATE loans SET income = NULL WHERE id <= 3")
    lending.commit()
    blocked = refresh(raise_on_error=False)
    assert not blocked.run.success
    assert not blocked.run.get_asset_materialization_events()
    assert [each.asset_check_key.name for each in blocked.run.get_asset_check_evaluations() if not each.passed] == [
        "no_nulls"
    ]
    started = {event.step_key for event in blocked.run.all_events if event.event_type == dg.DagsterEventType.STEP_START}
    assert started == {"loan_dataset"}
    latest = instance.get_latest_materialization_event(dg.AssetKey("loan_dataset"))
    assert latest is not None
    assert latest.run_id == good.run.run_id
    retrained = refresh("test_split", "trained_model", "model_metrics")
    assert retrained.logged("trained_model", "loan_dataset_sha256") == good.logged("loan_dataset", "sha256")


def test_training_refuses_a_dataset_of_another_table_or_other_columns(refresh: Any) -> None:
    refresh("loan_dataset")
    settings = Path(os.environ["PLATFORM_SETTINGS"])
    settings.write_text(settings.read_text().replace("age = {", "# age = {"))
    result = refresh("test_split", "trained_model", raise_on_error=False)
    assert not result.run.success
    (failure,) = result.events(dg.DagsterEventType.STEP_FAILURE)
    assert "Materialize loan_dataset again" in str(failure.step_failure_data.error)


def test_a_model_that_fails_its_check_leaves_the_last_pair_of_model_and_split(
    refresh: Any, lending: connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = refresh()
    with lending.cursor() as cursor:
        cursor.execute("DELETE FROM loans WHERE id > 1900")
    lending.commit()
    with monkeypatch.context() as broken:
        refused = [Verdict("scores_are_probabilities", False, "all scores are the same")]
        broken.setattr("credit_assets.training.check_model", lambda *_: refused)
        failed = refresh(raise_on_error=False)
    assert failed.assets == ["loan_dataset"]
    measured = refresh("model_metrics")
    assert measured.logged("model_metrics", "trained_model_sha256") == good.digests()["trained_model"]
    assert measured.logged("model_metrics", "test_split_sha256") == good.digests()["test_split"]
