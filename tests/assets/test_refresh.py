"""The whole pipeline on a real PostgreSQL and a real Dagster instance: what it makes, and what a retry makes again.

Without these a green run may publish a model of other rows than it says, measure it on rows it learned from, or train
for hours what was trained already.
"""

import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dagster as dg
import psycopg2
import pytest
from psycopg2.extensions import connection

from credit_assets.definitions import defs
from credit_assets.jobs import REFRESH
from credit_assets.metrics import PairError, refuse_other_pairs
from credit_assets.seed import seed
from credit_assets.settings import load_settings

SETTINGS = Path(__file__).parents[2] / "settings"
ASSETS = ("loan_dataset", "test_split", "trained_model", "model_metrics")
Refresh = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture
def lending(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[connection]:
    """A seeded loans table of 2,000 rows, a store of its own, and the environment that names them."""
    settings = tmp_path / "loans.toml"
    settings.write_text((SETTINGS / "loans.toml").read_text().replace("generate = 20_000", "generate = 2_000"))
    monkeypatch.setenv("CREDIT_SETTINGS", str(settings))
    monkeypatch.setenv("LOANS_DATABASE_URL", database_url)
    monkeypatch.setenv("CREDIT_STORE", (tmp_path / "store").as_uri())
    with psycopg2.connect(database_url) as db:
        with db.cursor() as cursor:
            seed(cursor, load_settings(settings))
        db.commit()
        yield db
    db.close()


@pytest.fixture
def refresh(lending: connection, instance: dg.DagsterInstance) -> Refresh:
    def run(*assets: str, config: dict | None = None, **arguments: Any) -> dg.ExecuteInProcessResult:
        return defs.resolve_job_def(REFRESH).execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey(asset) for asset in assets] or None,
            run_config={"ops": config} if config else None,
            **arguments,
        )

    return run


def logged(result: dg.ExecuteInProcessResult, asset: str, name: str) -> object:
    (event,) = [event for event in result.get_asset_materialization_events() if event.asset_key == dg.AssetKey(asset)]
    return event.materialization.metadata[name].value


def stored(result: dg.ExecuteInProcessResult, asset: str) -> Path:
    return Path(unquote(urlsplit(str(logged(result, asset, "path"))).path))


def digests(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    return {asset: logged(result, asset, "sha256") for asset in ASSETS}


def test_a_refresh_materializes_everything_and_passes_every_check(refresh: Refresh) -> None:
    result = refresh()
    materialized = {event.materialization.asset_key for event in result.get_asset_materialization_events()}
    assert materialized == {dg.AssetKey(asset) for asset in ASSETS}
    evaluations = result.get_asset_check_evaluations()
    declared = defs.resolve_asset_graph().asset_check_keys
    assert {evaluation.asset_check_key for evaluation in evaluations} == set(declared)
    assert all(evaluation.passed for evaluation in evaluations)


def test_the_same_rows_give_the_same_bytes_and_other_rows_do_not(refresh: Refresh, lending: connection) -> None:
    first, second = digests(refresh()), digests(refresh())
    assert first == second
    with lending.cursor() as cursor:
        cursor.execute("UPDATE loans SET income = income + 0.01 WHERE id = 1")
    lending.commit()
    assert digests(refresh())["loan_dataset"] != first["loan_dataset"]


def test_a_folder_and_s3_hold_the_same_bytes(
    refresh: Refresh, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_a_folder = digests(refresh())
    monkeypatch.setenv("CREDIT_STORE", f"s3://bucket-{uuid.uuid4().hex}/prefix")
    assert digests(refresh()) == in_a_folder
    again = refresh("model_metrics")
    assert logged(again, "model_metrics", "trained_model_sha256") == in_a_folder["trained_model"]
    assert str(logged(again, "model_metrics", "path")).startswith("s3://")


def test_the_content_digest_is_what_psql_and_sha256sum_print(refresh: Refresh, lending: connection) -> None:
    import io

    result = refresh("loan_dataset")
    sql = str(logged(result, "loan_dataset", "sql")).removeprefix("```sql\n").removesuffix("\n```")
    printed = io.BytesIO()
    with lending.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
        cursor.copy_expert(f"COPY ({sql}) TO STDOUT (FORMAT csv)", printed)
    assert logged(result, "loan_dataset", "content_sha256") == hashlib.sha256(printed.getvalue()).hexdigest()


def test_as_of_rebuilds_the_dataset_of_an_earlier_time(refresh: Refresh, lending: connection) -> None:
    before = refresh("loan_dataset")
    with lending.cursor() as cursor:
        cursor.execute(
            "INSERT INTO loans (loan_amount, income, credit_score, age, loan_term, default_status) "
            "SELECT loan_amount, income, credit_score, age, loan_term, default_status FROM loans LIMIT 10"
        )
    lending.commit()
    now = refresh("loan_dataset")
    as_of = str(logged(before, "loan_dataset", "as_of"))
    rebuilt = refresh("loan_dataset", config={"loan_dataset": {"config": {"as_of": as_of}}})
    assert logged(now, "loan_dataset", "dagster/row_count") == 2_010
    assert logged(rebuilt, "loan_dataset", "dagster/row_count") == 2_000
    assert logged(rebuilt, "loan_dataset", "sha256") == logged(before, "loan_dataset", "sha256")


def test_the_model_is_the_one_that_a_plain_script_trains(refresh: Refresh, lending: connection) -> None:
    import numpy as np
    import pandas as pd
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score
    from sklearn.model_selection import train_test_split

    columns = ["loan_amount", "income", "credit_score", "age", "loan_term", "default_status"]
    with lending.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)} FROM loans ORDER BY id")
        loans = pd.DataFrame(cursor.fetchall(), columns=columns).astype(float)
    # The rows of a part are in the order of their ids: the same forest, whatever order the split draws them in.
    train, test = train_test_split(loans, test_size=0.2, random_state=42, stratify=loans["default_status"])
    train, test = train.sort_index(), test.sort_index()
    forest = RandomForestClassifier(n_estimators=100, max_depth=10, random_state=42)
    forest.fit(train[columns[:-1]], train["default_status"])
    predicted, actual = forest.predict(test[columns[:-1]]), test["default_status"]

    result = refresh()
    model, split = (result.output_for_node("training", name).value for name in ("trained_model", "test_split"))
    ours = model.predict_proba(split.select(columns[:-1]).to_pandas())
    assert np.array_equal(ours, forest.predict_proba(test[columns[:-1]]))
    for name, metric in {
        "accuracy": accuracy_score,
        "precision": precision_score,
        "recall": recall_score,
        "f1": f1_score,
    }.items():
        assert logged(result, "model_metrics", name) == round(metric(actual, predicted), 4)


def test_a_loan_gets_the_same_score_alone_and_in_a_batch(refresh: Refresh) -> None:
    result = refresh()
    model = result.output_for_node("training", "trained_model").value
    batch = result.output_for_node("training", "test_split").value.to_pandas()[list(model.feature_names_in_)]
    alone = [model.predict_proba(batch.iloc[[row]])[0, 1] for row in range(20)]
    assert alone == model.predict_proba(batch)[:20, 1].tolist()


def test_a_retry_computes_only_what_was_not_committed(refresh: Refresh, instance: dg.DagsterInstance) -> None:
    job = defs.resolve_job_def(REFRESH)
    first = job.execute_in_process(
        instance=instance, raise_on_error=False, run_config={"ops": {"training": {"config": {"max_depth": 3}}}}
    )
    assert first.success
    # The worker died after the model was committed and before the run ended: a retry of the whole run, same root.
    retry = dg.execute_job(
        dg.reconstructable(refresh_job),
        instance=instance,
        run_config=first.dagster_run.run_config,
        reexecution_options=dg.ReexecutionOptions(parent_run_id=first.run_id),
    )
    assert retry.success
    events = [event for event in retry.all_events if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION]
    adopted = [event.step_materialization_data.materialization for event in events]
    assert len(adopted) == len(ASSETS)
    for materialization in adopted:
        metadata = materialization.metadata
        assert metadata["computed by run"].value == first.run_id
        assert metadata["seconds"].value == 0.0
        assert metadata["sha256"].value == logged(first, materialization.asset_key.to_user_string(), "sha256")


def refresh_job() -> dg.JobDefinition:
    return defs.resolve_job_def(REFRESH)


def test_a_retry_reads_the_dataset_of_its_own_run_and_not_a_newer_one(
    refresh: Refresh, lending: connection, instance: dg.DagsterInstance
) -> None:
    settings = Path(os.environ["CREDIT_SETTINGS"])
    declared = settings.read_text()
    settings.write_text(declared.replace("minimum_auc = 0.65", "minimum_auc = 1.0"))
    failed = refresh(raise_on_error=False)
    assert not failed.success
    settings.write_text(declared)
    with lending.cursor() as cursor:
        cursor.execute("DELETE FROM loans WHERE id > 1900")
    lending.commit()
    newer = refresh("loan_dataset")

    retry = dg.execute_job(
        dg.reconstructable(refresh_job),
        instance=instance,
        reexecution_options=dg.ReexecutionOptions.from_failure(failed.run_id, instance),
    )
    assert retry.success
    (metrics,) = [event for event in retry.all_events if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION]
    assert metrics.asset_key == dg.AssetKey("model_metrics")
    lineage = metrics.step_materialization_data.materialization.metadata
    assert lineage["content_sha256"].value == logged(failed, "loan_dataset", "content_sha256")
    assert lineage["content_sha256"].value != logged(newer, "loan_dataset", "content_sha256")


def test_another_run_reads_what_the_event_log_names_and_not_the_newest_file(refresh: Refresh) -> None:
    import pyarrow.parquet as pq

    from resources.checkpoints import Draft, Work
    from resources.formats import FORMATS
    from resources.object_store import open_store

    latest = refresh("loan_dataset")
    stray = Work(
        open_store(os.environ["CREDIT_STORE"]), "loan_dataset", "stray", "stray", {"code": "1"}, FORMATS["parquet"]
    )
    table = pq.read_table(stored(latest, "loan_dataset")).slice(0, 1_000)
    newest = Draft(stray, table, latest.output_for_node("loan_dataset").facts, 0.0).commit()
    assert newest.sha256 != logged(latest, "loan_dataset", "sha256")
    trained = refresh("test_split", "trained_model")
    assert logged(trained, "trained_model", "loan_dataset_sha256") == logged(latest, "loan_dataset", "sha256")


def test_a_failed_check_stops_what_comes_after_and_the_last_good_dataset_stays_the_latest(
    refresh: Refresh, lending: connection, instance: dg.DagsterInstance
) -> None:
    good = refresh()
    with lending.cursor() as cursor:
        cursor.execute("UPDATE loans SET income = NULL WHERE id <= 3")
    lending.commit()
    blocked = refresh(raise_on_error=False)
    assert not blocked.success
    assert not blocked.get_asset_materialization_events()
    assert [each.asset_check_key.name for each in blocked.get_asset_check_evaluations() if not each.passed] == [
        "no_nulls"
    ]
    started = {event.step_key for event in blocked.all_events if event.event_type == dg.DagsterEventType.STEP_START}
    assert started == {"loan_dataset"}
    latest = instance.get_latest_materialization_event(dg.AssetKey("loan_dataset"))
    assert latest is not None
    assert latest.run_id == good.run_id
    retrained = refresh("test_split", "trained_model", "model_metrics")
    assert logged(retrained, "trained_model", "loan_dataset_sha256") == logged(good, "loan_dataset", "sha256")


def test_training_refuses_a_dataset_of_another_table_or_other_columns(refresh: Refresh) -> None:
    refresh("loan_dataset")
    settings = Path(os.environ["CREDIT_SETTINGS"])
    settings.write_text(settings.read_text().replace("age = {", "# age = {"))
    result = refresh("test_split", "trained_model", raise_on_error=False)
    assert not result.success
    (failure,) = [event for event in result.all_events if event.event_type == dg.DagsterEventType.STEP_FAILURE]
    assert "Materialize loan_dataset again" in str(failure.step_failure_data.error)


def test_metrics_refuse_a_model_and_a_split_that_do_not_belong_together(refresh: Refresh) -> None:
    refuse_other_pairs({"test_split_sha256": "a" * 64}, "a" * 64)
    with pytest.raises(PairError, match=r"beside test_split aaaaaaaaaaaa…, and was given bbbbbbbbbbbb…: .*Materialize"):
        refuse_other_pairs({"test_split_sha256": "a" * 64}, "b" * 64)


def test_the_number_of_cores_does_not_change_the_model(refresh: Refresh, monkeypatch: pytest.MonkeyPatch) -> None:
    two = digests(refresh())
    monkeypatch.setattr("joblib.cpu_count", lambda: 1)
    assert digests(refresh()) == two


def test_every_artifact_lies_where_the_log_says_with_a_sidecar_that_names_what_made_it(refresh: Refresh) -> None:
    result = refresh()
    for asset in ASSETS:
        path = stored(result, asset)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == logged(result, asset, "sha256")
        sidecar = json.loads((path.parent / "manifest.json").read_text())
        assert sidecar["files"][0]["sha256"] == logged(result, asset, "sha256")
        assert {"python", "scikit-learn", "pandas", "pyarrow", "credit-default-platform"} <= sidecar["versions"].keys()
    facts = json.loads((stored(result, "trained_model").parent / "manifest.json").read_text())["facts"]
    assert facts["features"] == ["loan_amount", "income", "credit_score", "age", "loan_term"]
    assert facts["parameters"] == {"n_estimators": 100, "max_depth": 10, "random_state": 42, "test_share": 0.2}
    assert facts["loan_dataset_sha256"] == logged(result, "loan_dataset", "sha256")


@pytest.mark.parametrize("config", [{"n_estimators": 0}, {"max_depth": 65}, {"test_share": 1.0}, {"random_state": -1}])
def test_hyperparameters_out_of_bounds_are_refused_with_their_name(refresh: Refresh, config: dict) -> None:
    result = refresh(
        "loan_dataset", "test_split", "trained_model", raise_on_error=False, config={"training": {"config": config}}
    )
    assert not result.success
    (failure,) = [event for event in result.all_events if event.event_type == dg.DagsterEventType.STEP_FAILURE]
    assert next(iter(config)) in str(failure.step_failure_data.error)
