"""Tables of lenders lack values everywhere. A model of such a table must not need a view that makes them up.

Without these tests a column that declares missing values is refused all the same, or one that does not is let through.
"""

from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq
import pytest

from credit_assets.jobs import REFRESH
from resources.store.checkpoints import Checkpoints
from resources.store.formats import FORMATS
from tests.support.jobs import reconstructable_job
from tests.support.run_log import assert_one_error
from tests.support.sandbox import GOOD_SETTINGS, Sandbox

ALLOWED = ', missing = "allowed" }'
NULLS = "UPDATE loans SET income = NULL WHERE id % 5 = 0"
PERSONAL_NULL = (
    "ALTER TABLE loans ADD sex text; UPDATE loans SET sex = CASE id % 3 WHEN 0 THEN NULL WHEN 1 THEN 'f' ELSE 'm' END"
)


def allow(*columns: str) -> str:
    """The settings of the sandbox, with columns that may have missing values."""
    lines = GOOD_SETTINGS.splitlines()
    return "\n".join(line.replace(" }", ALLOWED) if line.partition(" =")[0] in columns else line for line in lines)


def load(sandbox: Sandbox, asset: str, kind: str) -> Any:
    """The latest artifact of an asset."""
    place, sha256 = (sandbox.latest(asset, f"checkpoint/{part}") for part in ("place", "manifest_sha256"))
    return Checkpoints(store_uri=sandbox.environment["PLATFORM_STORE"]).logged(place, sha256, FORMATS[kind])


@pytest.fixture
def loans(sandbox: Sandbox) -> Sandbox:
    """Good loans in an empty store, because shares are compared with those of the model in use."""
    sandbox.reset()
    for path in sorted(sandbox.store.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    return sandbox


def test_a_column_that_declares_missing_values_becomes_a_model_and_others_stay_strict(
    loans: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    loans.execute(NULLS)
    assert loans.run() == 1
    assert_one_error(capfd.readouterr().err, "no_nulls: NULL or NaN: income: 60 rows", 'missing = "allowed"')
    loans.settings.write_text(allow("loan_amount", "purpose"))
    assert loans.run() == 1
    assert_one_error(capfd.readouterr().err, "no_nulls: NULL or NaN: income: 60 rows")

    loans.execute("UPDATE loans SET purpose = NULL WHERE id % 7 = 0; UPDATE loans SET income = 'NaN' WHERE id = 1")
    loans.settings.write_text(allow("income", "purpose"))
    assert loans.run() == 0
    assert loans.latest("loan_dataset", "missing values") == "{'income': '20.3%', 'purpose': '14.0%'}"
    dataset, model = load(loans, "loan_dataset", "parquet"), load(loans, "trained_model", "joblib")
    assert dataset.facts["missing"] == {"income": 61, "purpose": 42}
    assert dataset.value.column("purpose").null_count == 42
    levels = model.value.named_steps["encode"].named_transformers_["category"][-1].categories_[0]
    assert [str(level) for level in levels] == ["boat", "car", "house", "nan"]
    importance = load(loans, "model_metrics", "report").value.data["importance"]
    assert importance.keys() == {"loan_amount", "income", "credit_score", "purpose"}


def test_people_without_a_personal_attribute_are_the_group_unknown_of_the_fairness_table(
    loans: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    loans.execute(PERSONAL_NULL)
    loans.settings.write_text(allow().replace("[personal]", '[personal]\nsex = { type = "category" }'))
    assert loans.run() == 1
    assert_one_error(capfd.readouterr().err, "no_nulls: NULL or NaN: sex: 100 rows")

    loans.execute("UPDATE loans SET age = NULL WHERE id % 4 = 1")
    sex = f'[personal]\nsex = {{ type = "category"{ALLOWED}'
    loans.settings.write_text(allow("age").replace("[personal]", sex))
    assert loans.run() == 0
    rows = load(loans, "model_metrics", "report").value.data["fairness"]
    groups = {
        attribute: {row["group"] for row in rows if row["attribute"] == attribute} for attribute in ("sex", "age")
    }
    assert groups["sex"] == {"f", "m", "unknown"}
    assert groups["age"] == {"under 40", "40 and over", "unknown"}
    unknown = [row for row in rows if row["group"] == "unknown"]
    assert all(row["rows"] >= 10 and row["adverse_impact_ratio"] is None for row in unknown)


def test_a_share_that_moved_since_the_model_in_use_stops_the_dataset_and_the_model_stays(
    loans: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    loans.settings.write_text(allow("income"))
    loans.execute(NULLS)
    assert loans.run() == 0
    first = load(loans, "loan_dataset", "parquet")
    assert "missing_in_use" not in first.facts

    loans.execute("UPDATE loans SET income = NULL WHERE id % 5 = 1")
    before = loans.state()
    assert loans.run() == 1
    assert_one_error(
        capfd.readouterr().err,
        "missing_drift: missing values in the dataset of promotion 1, which is in use, and now: income: 20.0%, now "
        "40.0%; expected a difference of at most 10.0% (limits.maximum_missing_drift)",
    )
    assert loans.state() == before

    loans.settings.write_text(allow("income") + "\nmaximum_missing_drift = 0.25\n")
    assert loans.run() == 0
    recorded = load(loans, "loan_dataset", "parquet").facts["missing_in_use"]
    assert recorded == {"promotion": 1, "shares": {"income": 0.2}}


def test_a_retry_compares_with_the_model_that_was_in_use_when_the_dataset_was_read(loans: Sandbox) -> None:
    loans.settings.write_text(allow("income"))
    loans.execute(NULLS)
    assert loans.run() == 0
    assert loans.run() == 0
    second = loans.latest("loan_dataset")
    loans.execute("UPDATE loans SET income = NULL WHERE id % 25 = 1")
    assert loans.run() == 0
    first_attempt = loans.instance.get_run_by_id(second)
    assert first_attempt
    with (
        loans.entered(),
        dg.execute_job(
            reconstructable_job(REFRESH),
            instance=loans.instance,
            run_config=first_attempt.run_config,
            reexecution_options=dg.ReexecutionOptions(parent_run_id=second),
        ) as retry,
    ):
        checks = retry.get_asset_check_evaluations()
    (said,) = [each.description for each in checks if each.check_name == "missing_drift"]
    assert said
    assert said.startswith(
        "missing values in the dataset of promotion 1, which is in use, and now: no share of 1 moved"
    )


def test_a_table_of_four_hundred_columns_becomes_a_model(loans: Sandbox) -> None:
    names = [f"bureau_attribute_number_{number:03}" for number in range(400)]
    columns = ", ".join(f"(random() * 100)::real AS {name}" for name in names)
    loans.execute(
        f"CREATE TABLE wide AS SELECT *, {columns} FROM loans; DROP TABLE loans; ALTER TABLE wide RENAME TO loans"
    )
    features = "\n".join(f'{name} = {{ type = "number" }}' for name in names)
    loans.settings.write_text(GOOD_SETTINGS.replace("[features]", f"[features]\n{features}"))
    assert loans.run() == 0
    (path,) = Path(loans.store).glob("loan_dataset/*/*/*.parquet")
    assert len(pq.read_schema(path)) == 408
