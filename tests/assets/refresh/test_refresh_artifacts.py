"""The artifacts of a refresh, on a real PostgreSQL and a real Dagster instance.

Without this a green run may publish a model of other rows than it says, or one that nobody can make again.
"""

import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from psycopg2.extensions import connection

from credit_assets.definitions import build_defs
from resources.deployment import Deployment

ASSETS = ("loan_dataset", "test_split", "trained_model", "model_metrics", "benchmark")


def read_facts(result: Any, asset: str) -> dict[str, Any]:
    """What the manifest of an asset says about it."""
    return json.loads((result.stored(asset).parent / "manifest.json").read_text())["facts"]


def test_a_refresh_materializes_everything_and_passes_every_check(refresh: Any) -> None:
    result = refresh()
    materialized = {event.materialization.asset_key for event in result.run.get_asset_materialization_events()}
    assert materialized == {dg.AssetKey(asset) for asset in (*ASSETS, "promoted_model")}
    evaluations = result.run.get_asset_check_evaluations()
    declared = {
        key
        for key in build_defs(Deployment.from_environment()).resolve_asset_graph().asset_check_keys
        if key.asset_key in materialized
    }
    assert {evaluation.asset_check_key for evaluation in evaluations} == declared
    # On so few loans a regression may rank better than the forest, which is what this check is there to say.
    failed = {evaluation.check_name for evaluation in evaluations if not evaluation.passed}
    assert failed <= {"model_keeps_up"}


def test_the_same_rows_give_the_same_bytes_and_other_rows_do_not(refresh: Any, lending: connection) -> None:
    first, second = refresh().digests(), refresh().digests()
    assert first == second
    with lending.cursor() as cursor:
        cursor.execute("UPDATE loans SET income = income + 0.01 WHERE id = 1")
    lending.commit()
    assert refresh().digests()["loan_dataset"] != first["loan_dataset"]


def test_a_folder_and_s3_hold_the_same_bytes(refresh: Any, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    in_a_folder = refresh().digests()
    monkeypatch.setenv("PLATFORM_STORE", f"s3://bucket-{uuid.uuid4().hex}/prefix")
    assert refresh().digests() == in_a_folder
    again = refresh("model_metrics")
    assert again.logged("model_metrics", "trained_model_sha256") == in_a_folder["trained_model"]
    assert str(again.logged("model_metrics", "path")).startswith("s3://")


def test_the_content_digest_is_what_psql_and_sha256sum_print(refresh: Any, lending: connection) -> None:
    import io

    result = refresh("loan_dataset")
    sql = str(result.logged("loan_dataset", "sql")).removeprefix("```sql\n").removesuffix("\n```")
    printed = io.BytesIO()
    with lending.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
        cursor.copy_expert(f"COPY ({sql}) TO STDOUT (FORMAT csv)", printed)
    assert result.logged("loan_dataset", "content_sha256") == hashlib.sha256(printed.getvalue()).hexdigest()


def test_as_of_rebuilds_the_dataset_of_an_earlier_time(refresh: Any, lending: connection) -> None:
    before = refresh("loan_dataset")
    with lending.cursor() as cursor:
        cursor.execute(
            "INSERT INTO loans (loan_amount, income, credit_score, age, loan_term, default_status) "
            "SELECT loan_amount, income, credit_score, age, loan_term, default_status FROM loans LIMIT 10"
        )
    lending.commit()
    now = refresh("loan_dataset")
    as_of = str(before.logged("loan_dataset", "as_of"))
    rebuilt = refresh("loan_dataset", config={"loan_dataset": {"config": {"as_of": as_of}}})
    assert now.logged("loan_dataset", "dagster/row_count") == 2_010
    assert rebuilt.logged("loan_dataset", "dagster/row_count") == 2_000
    assert rebuilt.logged("loan_dataset", "sha256") == before.logged("loan_dataset", "sha256")


def test_the_model_is_the_one_that_a_plain_script_trains(refresh: Any, lending: connection) -> None:
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
    model, split = (result.run.output_for_node("training", name).value for name in ("trained_model", "test_split"))
    ours = model.predict_proba(split.select(columns[:-1]).to_pandas())
    assert np.array_equal(ours, forest.predict_proba(test[columns[:-1]]))
    for name, metric in {
        "accuracy": accuracy_score,
        "precision": precision_score,
        "recall": recall_score,
        "f1": f1_score,
    }.items():
        assert result.logged("model_metrics", name) == round(metric(actual, predicted), 4)


def test_a_loan_gets_the_same_score_alone_and_in_a_batch(refresh: Any) -> None:
    result = refresh()
    model = result.run.output_for_node("training", "trained_model").value
    batch = result.run.output_for_node("training", "test_split").value.to_pandas()[list(model.feature_names_in_)]
    alone = [model.predict_proba(batch.iloc[[row]])[0, 1] for row in range(20)]
    assert alone == model.predict_proba(batch)[:20, 1].tolist()


def test_the_number_of_cores_does_not_change_the_model(refresh: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    two = refresh().digests()
    monkeypatch.setattr("joblib.cpu_count", lambda: 1)
    assert refresh().digests() == two


def test_every_artifact_is_where_the_log_says_beside_a_manifest_of_what_made_it(refresh: Any) -> None:
    result = refresh()
    for asset in ASSETS:
        path = result.stored(asset)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == result.logged(asset, "sha256")
        sidecar = json.loads((path.parent / "manifest.json").read_text())
        assert sidecar["files"][0]["sha256"] == result.logged(asset, "sha256")
        assert {"python", "scikit-learn", "pandas", "pyarrow", "credit-default-platform"} <= sidecar["versions"].keys()
    facts = read_facts(result, "trained_model")
    assert facts["features"] == ["loan_amount", "income", "credit_score", "age", "loan_term"]
    assert facts["parameters"] == {"n_estimators": 100, "max_depth": 10, "random_state": 42, "test_share": 0.2}
    assert facts["loan_dataset_sha256"] == result.logged("loan_dataset", "sha256")


def test_the_directions_that_a_model_was_held_to_stand_in_its_manifest(refresh: Any, tmp_path: Path) -> None:
    assert "monotonic" not in read_facts(refresh(*ASSETS[:3]), "trained_model"), "none is declared"
    settings = tmp_path / "loans.toml"
    declared = settings.read_text().replace("income = {", 'income = { monotonic = "decreasing",')
    settings.write_text(declared)
    assert read_facts(refresh(*ASSETS[:3]), "trained_model")["monotonic"] == {"income": "decreasing"}


@pytest.mark.parametrize("config", [{"n_estimators": 0}, {"max_depth": 65}, {"test_share": 1.0}, {"random_state": -1}])
def test_hyperparameters_out_of_bounds_are_refused_with_their_name(refresh: Any, config: dict) -> None:
    result = refresh(
        "loan_dataset", "test_split", "trained_model", raise_on_error=False, config={"training": {"config": config}}
    )
    assert not result.run.success
    (failure,) = result.events(dg.DagsterEventType.STEP_FAILURE)
    assert next(iter(config)) in str(failure.step_failure_data.error)
