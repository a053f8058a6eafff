"""Each kind of model must keep the promises of the forest, or a choice in the settings breaks a retry unseen."""

import hashlib
import io
import subprocess
import sys
from typing import Any

import joblib
import numpy as np
import pyarrow as pa
import pytest
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from credit_assets.loans.columns import select_features
from credit_assets.model.cross_validation import cross_validate
from credit_assets.model.growth import AtOnce
from credit_assets.model.pipeline import HyperparameterError, TrainingConfig, fit_pipeline, refuse_unused
from credit_assets.settings.file import Settings

KINDS = ("random_forest", "hist_gradient_boosting", "logistic_regression")
CONFIG = TrainingConfig(n_estimators=12, max_depth=4)
ROWS = 3_000


def declare(kind: str, **more: Any) -> Settings:
    return Settings.model_validate(
        {
            "table": {"name": "loans"},
            "target": {"column": "default_status"},
            "features": {"income": {"type": "number"}, "purpose": {"type": "category"}, "term": {"type": "integer"}},
            "model": {"kind": kind},
            **more,
        }
    )


@pytest.fixture(scope="module")
def loans() -> pa.Table:
    rng = np.random.default_rng(11)
    income, purpose = rng.normal(40_000, 9_000, ROWS), rng.choice(["car", "house", "boat"], ROWS)
    risk = (income < 35_000) + (purpose == "boat") + rng.normal(scale=0.4, size=ROWS)
    return pa.table(
        {
            "income": income,
            "purpose": purpose,
            "term": rng.integers(6, 72, ROWS),
            "default_status": (risk > 0.9).astype("int64"),
        }
    )


def sha256(model: Pipeline) -> str:
    written = io.BytesIO()
    joblib.dump(model, written, compress=3)
    return hashlib.sha256(written.getvalue()).hexdigest()


def test_a_settings_file_that_names_no_kind_gets_the_forest() -> None:
    declared = declare("random_forest").model_dump(exclude={"model"})
    assert Settings.model_validate(declared).model.kind == "random_forest"


def test_the_kind_is_part_of_the_fingerprint_so_that_no_retry_adopts_a_model_of_another_kind() -> None:
    assert len({declare(kind).fingerprint for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_ranks_loans_scores_a_category_it_never_saw_and_scores_alone_as_in_a_batch(loans, kind: str) -> None:
    model = fit_pipeline(loans, declare(kind), CONFIG, AtOnce())
    rows = select_features(loans, declare(kind)).head(50)
    batch = model.predict_proba(rows)[:, 1]
    assert np.corrcoef(batch, loans["default_status"].to_numpy()[:50])[0, 1] > 0.3
    alone = np.array([model.predict_proba(rows.iloc[[row]])[0, 1] for row in range(50)])
    # A regression multiplies all rows at once, in an order that depends on their number.
    assert np.abs(alone - batch).max() <= (1e-14 if kind == "logistic_regression" else 0)
    unseen = model.predict_proba(rows.assign(purpose="plane"))[:, 1]
    assert ((unseen > 0) & (unseen < 1)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_number_of_threads_changes_no_byte(loans, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    many = pa.concat_tables([loans] * 40)  # several threads share the work only if it is much
    with threadpool_limits(1):
        one = sha256(fit_pipeline(many, declare(kind), CONFIG, AtOnce()))
    monkeypatch.setattr("joblib.cpu_count", lambda: 3)
    with threadpool_limits(3):
        assert sha256(fit_pipeline(many, declare(kind), CONFIG, AtOnce())) == one


@pytest.mark.parametrize("kind", KINDS)
def test_a_scoring_service_needs_nothing_of_this_platform_to_load_a_model(loans, kind: str, tmp_path) -> None:
    joblib.dump(fit_pipeline(loans, declare(kind), CONFIG, AtOnce()), tmp_path / "model")
    load = f"import sys, joblib; joblib.load({str(tmp_path / 'model')!r}); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True, check=True).stdout.split()
    assert "sklearn.pipeline" in loaded
    assert not [name for name in loaded if name.startswith(("credit_assets", "resources"))]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_can_be_cross_validated(loans, kind: str) -> None:
    folds = cross_validate(loans, declare(kind, limits={"cross_validation_folds": 3}), CONFIG, AtOnce().grow)
    assert folds
    assert folds["folds"] == 3
    assert folds["roc_auc_mean"] > 0.8


def test_a_hyperparameter_that_a_regression_does_not_have_is_refused_and_not_ignored() -> None:
    regression = declare("logistic_regression")
    refuse_unused(regression, TrainingConfig(random_state=7, test_share=0.3))
    with pytest.raises(HyperparameterError, match=r"^n_estimators, max_depth: a logistic_regression .* has no trees"):
        refuse_unused(regression, CONFIG)
    with pytest.raises(HyperparameterError, match=r"^max_depth: a logistic_regression"):
        refuse_unused(regression, TrainingConfig(max_depth=11))
    for kind in KINDS[:2]:
        refuse_unused(declare(kind), CONFIG)


def test_hyperparameters_reach_the_boosting(loans) -> None:
    boosting = fit_pipeline(loans, declare("hist_gradient_boosting"), CONFIG, AtOnce())[-1]
    assert (boosting.n_iter_, boosting.max_depth, boosting.random_state) == (12, 4, 42)
    assert not boosting.do_early_stopping_
