"""A category with thousands of levels must not fill the memory, nor teach a model the outcomes of single loans."""

import hashlib
import io
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from credit_assets.loans.columns import select_features, select_outcomes
from credit_assets.measurement.importance import sum_importance_by_column
from credit_assets.model.growth import AtOnce
from credit_assets.model.levels import count_levels
from credit_assets.model.pipeline import TrainingConfig, fit_pipeline, prepare
from credit_assets.settings.file import Settings

KINDS = ("random_forest", "hist_gradient_boosting", "logistic_regression")
CONFIG = TrainingConfig(n_estimators=12, max_depth=4)
ROWS, LEVELS = 4_000, 500


def declare(kind: str = "random_forest", **model: Any) -> Settings:
    features = {"income": "number", "purpose": "category", "postcode": "category"}
    return Settings.model_validate(
        {
            "table": {"name": "loans"},
            "target": {"column": "default_status"},
            "features": {name: {"type": each} for name, each in features.items()},
            "model": {"kind": kind, **model},
        }
    )


def draw_loans(levels: int = LEVELS, knows: bool = True) -> pa.Table:
    """Loans whose postcode decides half of the risk, or nothing."""
    rng = np.random.default_rng(7)
    income, postcode = rng.normal(size=ROWS), rng.permutation(np.arange(ROWS) % levels)
    risk = income + (2 * (postcode % 2 == 0) if knows else 0) + rng.normal(scale=0.5, size=ROWS)
    return pa.table(
        {
            "income": income,
            "purpose": rng.choice(["car", "house"], ROWS),
            "postcode": [f"p{each}" for each in postcode],
            "default_status": (risk > 1).astype("int64"),
        }
    )


@pytest.fixture(scope="module")
def loans() -> pa.Table:
    return draw_loans()


def encode(loans: pa.Table, settings: Settings, config: TrainingConfig = CONFIG) -> np.ndarray:
    return prepare(loans, settings, config)[1]


def sha256(model: Any) -> str:
    written = io.BytesIO()
    joblib.dump(model, written)
    return hashlib.sha256(written.getvalue()).hexdigest()


def test_a_big_category_is_one_number_and_one_that_is_not_has_a_number_for_each_level(loans) -> None:
    assert encode(loans, declare()).shape == (ROWS, 1 + 2 + 1)
    assert encode(loans, declare(one_hot_levels=LEVELS)).shape == (ROWS, 1 + 2 + LEVELS)
    assert encode(loans, declare(one_hot_levels=LEVELS - 1)).shape == (ROWS, 4)
    assert encode(draw_loans(levels=100), declare()).shape == (ROWS, 1 + 2 + 100), "100 is the default"


def test_the_training_loans_decide_what_is_big_and_the_model_says_it(loans) -> None:
    model = fit_pipeline(loans.slice(0, 120), declare(one_hot_levels=120), CONFIG, AtOnce())
    assert count_levels(model.named_steps["encode"]) == {}
    model = fit_pipeline(loans, declare(one_hot_levels=120), CONFIG, AtOnce())
    assert count_levels(model.named_steps["encode"]) == {"postcode": LEVELS}


@pytest.mark.parametrize("kind", KINDS)
def test_a_level_that_was_never_seen_gets_a_score_and_a_loan_alone_that_of_a_batch(loans, kind: str) -> None:
    settings = declare(kind)
    model = fit_pipeline(loans, settings, CONFIG, AtOnce())
    rows = select_features(loans, settings).head(50)
    batch = model.predict_proba(rows)[:, 1]
    alone = np.array([model.predict_proba(rows.iloc[[row]])[0, 1] for row in range(50)])
    # The last digit of a regression depends on the size of the batch.
    assert (alone == batch).all() if kind != "logistic_regression" else np.allclose(alone, batch, rtol=1e-12)
    never = model.predict_proba(rows.assign(postcode="never"))[:, 1]
    assert np.isfinite(never).all()
    encoded = model.named_steps["encode"].transform(rows.assign(postcode="never"))[:, 2]
    assert encoded == pytest.approx(loans["default_status"].to_numpy().mean())


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_learns_from_a_big_category_and_shows_how_much(loans, kind: str) -> None:
    settings = declare(kind)
    train, test = loans.slice(0, 3_000), loans.slice(3_000)
    model = fit_pipeline(train, settings, CONFIG, AtOnce())
    outcome, rows = select_outcomes(test, settings), select_features(test, settings)
    known = roc_auc_score(outcome, model.predict_proba(rows)[:, 1])
    unknown = roc_auc_score(outcome, model.predict_proba(rows.assign(postcode="never"))[:, 1])
    assert known > unknown + 0.05
    importance = sum_importance_by_column(model)
    assert importance["postcode"] > 0.1 > importance["purpose"]
    assert sum(importance.values()) == pytest.approx(1)


def test_a_missing_value_of_a_big_category_is_a_level_of_its_own_however_it_is_written(loans) -> None:
    known = loans["postcode"].to_pylist()
    gaps = [None if row % 4 == 0 else each for row, each in enumerate(known)]
    some_missing = loans.set_column(2, "postcode", pa.array(gaps))
    declared = declare().model_dump()
    declared["features"]["postcode"]["missing"] = "allowed"
    settings = Settings.model_validate(declared)
    model = fit_pipeline(some_missing, settings, CONFIG, AtOnce())
    assert count_levels(model.named_steps["encode"]) == {"postcode": LEVELS + 1}
    row = select_features(some_missing, settings).head(1)
    scores = {
        model.predict_proba(row.assign(postcode=pd.Series([each], dtype=object)))[0, 1]
        for each in (None, np.nan, pd.NA)
    }
    assert len(scores) == 1
    assert scores == {model.predict_proba(select_features(some_missing, settings).head(50))[0, 1]}
    encoded = model.named_steps["encode"].transform(select_features(some_missing, settings).head(2))[:, 2]
    share = loans["default_status"].to_numpy()[::4].mean()
    assert encoded[0] == pytest.approx(share, abs=0.01), "a level with many loans has its own share"


def test_two_trainings_with_one_seed_leave_the_same_bytes_and_with_another_seed_others(loans) -> None:
    few = TrainingConfig(n_estimators=2, max_depth=2)
    one, two = (sha256(fit_pipeline(loans, declare(), few, AtOnce())) for _ in range(2))
    assert one == two
    other = few.model_copy(update={"random_state": 7})
    assert (encode(loans, declare(), few) != encode(loans, declare(), other)).any()


def test_a_loan_of_the_training_part_does_not_know_its_own_outcome_by_a_level_that_nobody_else_has() -> None:
    alone = draw_loans(knows=False).set_column(2, "postcode", pa.array([f"p{each}" for each in range(ROWS)]))
    settings = declare()
    number = encode(alone, settings)[:, 2]
    outcome = select_outcomes(alone, settings)
    assert roc_auc_score(outcome, number) == pytest.approx(0.5, abs=0.05)
    model = fit_pipeline(alone.slice(0, 3_000), settings, CONFIG, AtOnce())
    assert sum_importance_by_column(model)["postcode"] < 0.05


def test_the_setting_is_part_of_the_fingerprint_only_if_it_is_changed() -> None:
    assert declare().fingerprint == declare(one_hot_levels=100).fingerprint
    assert declare().fingerprint != declare(one_hot_levels=101).fingerprint
