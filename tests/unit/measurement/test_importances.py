"""What people look at first, the importances and the figures, must be true of the model, and defined or left out."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from credit_assets.measurement.evaluation import evaluate_model, write_report
from credit_assets.measurement.importance import sum_importance_by_column
from credit_assets.measurement.presentation import describe_metrics
from credit_assets.model.growth import AtOnce
from credit_assets.model.pipeline import TrainingConfig, fit_pipeline
from credit_assets.settings.file import Settings
from credit_assets.settings.learning.model import Model

SETTINGS = Settings.model_validate(
    {
        "table": {"name": "loans"},
        "target": {"column": "default_status"},
        "features": {
            "noise": {"type": "number"},
            "income": {"type": "number"},
            "purpose": {"type": "category"},
        },
    }
)
ROWS = 400


@pytest.fixture(scope="module")
def loans() -> pa.Table:
    """Income decides, and the purpose a little."""
    rng = np.random.default_rng(3)
    income, purpose = rng.normal(size=ROWS), rng.choice(["car", "house", "boat"], ROWS)
    return pa.table(
        {
            "noise": rng.normal(size=ROWS),
            "income": income,
            "purpose": purpose,
            "default_status": (income + (purpose == "boat") + rng.normal(scale=0.3, size=ROWS) > 1).astype("int64"),
        }
    )


@pytest.fixture(scope="module")
def model(loans):
    config = TrainingConfig(n_estimators=20, max_depth=4)
    return fit_pipeline(loans, SETTINGS, config, AtOnce())


@pytest.mark.parametrize("kind", ["random_forest", "hist_gradient_boosting", "logistic_regression"])
def test_importances_are_of_the_declared_columns_positive_greatest_first_and_sum_to_1(loans, kind: Any) -> None:
    settings = SETTINGS.model_copy(update={"model": Model(kind=kind)})
    importance = sum_importance_by_column(fit_pipeline(loans, settings, TrainingConfig(), AtOnce()))
    assert list(importance) == ["income", "purpose", "noise"]
    assert list(importance.values()) == sorted(importance.values(), reverse=True)
    assert min(importance.values()) > 0
    assert importance["income"] > 0.5
    assert sum(importance.values()) == pytest.approx(1)


def test_the_importance_of_a_category_is_the_sum_over_its_levels(model) -> None:
    encoded = dict(
        zip(
            model.named_steps["encode"].get_feature_names_out(),
            model.named_steps["forest"].feature_importances_,
            strict=True,
        )
    )
    levels = [value for name, value in encoded.items() if "purpose" in name]
    assert len(levels) == 3
    importance = sum_importance_by_column(model)
    assert importance["purpose"] == pytest.approx(sum(levels))
    assert importance["income"] == pytest.approx(encoded["remainder__income"])


def measure(model, loans) -> dict:
    origin = {"cross_validation": None, "lineage": {"trained_model_sha256": "a" * 64}}
    return evaluate_model(model, loans, SETTINGS) | origin


class Timid:
    """A model that ranks well and predicts no default."""

    def __init__(self, model) -> None:
        self.named_steps, self.feature_names_in_ = model.named_steps, model.feature_names_in_
        self.model = model

    def predict_proba(self, rows):
        return self.model.predict_proba(rows) * [[1, 0.4]]


def test_a_figure_that_is_not_defined_is_none_in_the_report_and_undefined_in_the_ui(model, loans) -> None:
    measured = measure(Timid(model), loans)
    assert measured["scores"]["precision"] is None
    assert measured["scores"]["recall"] == 0
    assert "Precision: undefined (no default was predicted)" in write_report(measured).text
    shown = describe_metrics(measured)
    assert shown["precision"] == "undefined"
    assert shown["recall"] == 0
    assert shown["roc_auc"] > 0.9


def test_every_figure_that_is_defined_is_shown(model, loans) -> None:
    shown = describe_metrics(measure(model, loans))
    assert {"accuracy", "precision", "recall", "f1", "roc_auc", "gini", "ks", "brier"} <= shown.keys()
    assert shown["dagster/row_count"] == ROWS
    assert shown["trained_model_sha256"] == "a" * 64
    assert str(shown["pictures"].value).count("data:image/png;base64") == 4
    assert "fairness" not in shown, "no personal attribute is declared"
