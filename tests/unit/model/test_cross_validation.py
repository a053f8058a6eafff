"""A cross-validation that a retry put together from folds must say what scikit-learn's own says, to the last bit."""

import json

import numpy as np
import pyarrow as pa
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline

from credit_assets.loans.columns import select_features, select_outcomes
from credit_assets.model.cross_validation import cross_validate
from credit_assets.model.encoding import build_encoder
from credit_assets.model.pipeline import TrainingConfig
from credit_assets.settings.file import Settings

CONFIG = TrainingConfig(n_estimators=15, max_depth=4)
FOLDS = 5


def declare(folds: int = FOLDS) -> Settings:
    return Settings.model_validate(
        {
            "table": {"name": "loans"},
            "target": {"column": "default_status"},
            "features": {"income": {"type": "number"}, "purpose": {"type": "category"}},
            "limits": {"cross_validation_folds": folds},
        }
    )


@pytest.fixture(scope="module")
def loans() -> pa.Table:
    rng = np.random.default_rng(5)
    income = rng.normal(size=300)
    return pa.table(
        {
            "income": income,
            "purpose": rng.choice(["car", "house"], 300),
            "default_status": (income + rng.normal(size=300) > 0.5).astype("int64"),
        }
    )


def grow_all(total, make):
    return [*make(iter(range(total)))]


def test_mean_and_deviation_are_those_of_scikit_learn(loans) -> None:
    settings = declare()
    forest = RandomForestClassifier(n_estimators=15, max_depth=4, random_state=CONFIG.random_state)
    own = cross_val_score(
        Pipeline([("encode", build_encoder(select_features(loans, settings), settings, 0)), ("forest", forest)]),
        select_features(loans, settings),
        select_outcomes(loans, settings),
        cv=StratifiedKFold(FOLDS, shuffle=True, random_state=CONFIG.random_state),
        scoring="roc_auc",
    )
    assert cross_validate(loans, settings, CONFIG, grow_all) == {
        "folds": FOLDS,
        "roc_auc_mean": float(own.mean()),
        "roc_auc_std": float(own.std()),
    }


def test_the_figures_are_the_same_wherever_it_was_interrupted(loans) -> None:
    kept: list[bytes] = []

    def grow_one_by_one(total, make):
        for fold in range(total):
            kept.extend(make(iter([fold])))
        return kept

    assert cross_validate(loans, declare(), CONFIG, grow_one_by_one) == cross_validate(
        loans, declare(), CONFIG, grow_all
    )
    assert [list(json.loads(item)) for item in kept] == [["roc_auc"]] * FOLDS
    assert cross_validate(loans, declare(), CONFIG, lambda total, make: kept) == cross_validate(
        loans, declare(), CONFIG, grow_all
    ), "folds that were committed are not used"


def test_without_folds_nothing_is_computed(loans) -> None:
    def refuse(total, make):
        raise AssertionError("a fold was asked for")

    assert cross_validate(loans, declare(0), CONFIG, refuse) is None
