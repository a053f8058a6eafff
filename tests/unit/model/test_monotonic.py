"""A lender that declares a direction must explain each score by it: one pair of loans that contradicts is one too many.

scikit-learn promises it for forests and boostings, with missing values too. These tests hold it to that.
"""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.pipeline import Pipeline

from credit_assets.loans.columns import select_features
from credit_assets.model.growth import AtOnce
from credit_assets.model.pipeline import TrainingConfig, fit_pipeline
from credit_assets.settings.file import Settings

KINDS = ("random_forest", "hist_gradient_boosting")
CONFIG = TrainingConfig(n_estimators=25)
ROWS = 1_500


def declare(kind: str, **directions: str) -> Settings:
    features: dict[str, Any] = {
        # A category comes first in the encoded numbers and not in the declared ones.
        "income": {"type": "number"},
        "purpose": {"type": "category"},
        "arrears": {"type": "integer"},
    }
    for column, direction in directions.items():
        features[column] = {**features[column], "monotonic": direction}
    declared = {"table": {"name": "loans"}, "target": {"column": "bad"}, "features": features, "model": {"kind": kind}}
    return Settings.model_validate(declared)


def draw_loans(missing: float) -> pa.Table:
    """Loans whose risk falls with the income and rises with the arrears, but for much noise."""
    rng = np.random.default_rng(5)
    income, arrears = rng.normal(40, 9, ROWS), rng.integers(0, 12, ROWS).astype(float)
    purpose = rng.choice(["car", "house", "boat"], ROWS)
    bad = (arrears / 6 - income / 30 + (purpose == "boat") + rng.normal(scale=1.5, size=ROWS) > 0).astype("int64")
    for column in (income, arrears):
        column[rng.random(ROWS) < missing] = np.nan
    return pa.table({"income": income, "purpose": purpose, "arrears": arrears, "bad": bad})


def measure_steps(model: Pipeline, loans: pa.Table, settings: Settings, column: str) -> tuple[float, float]:
    """The greatest fall and the greatest rise of any loan's probability, as one column grows and the others stay."""
    rows, values = select_features(loans.slice(0, 150), settings), np.linspace(-5, 80, 120)
    varied = pd.concat([rows] * len(values)).assign(**{column: np.repeat(values, len(rows))})
    steps = np.diff(model.predict_proba(varied)[:, 1].reshape(len(values), len(rows)), axis=0)
    return float(steps.min()), float(steps.max())


@pytest.mark.parametrize("missing", [0.0, 0.2], ids=["no value missing", "a fifth missing"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_loan_is_scored_against_a_declared_direction(kind: str, missing: float) -> None:
    settings, loans = declare(kind, income="decreasing", arrears="increasing"), draw_loans(missing)
    model = fit_pipeline(loans, settings, CONFIG, AtOnce())
    fall, rise = measure_steps(model, loans, settings, "income")
    assert rise <= 0 > fall
    fall, rise = measure_steps(model, loans, settings, "arrears")
    assert fall >= 0 < rise


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_declared_direction_the_same_loans_give_scores_that_go_up_and_down(kind: str) -> None:
    settings, loans = declare(kind, arrears="increasing"), draw_loans(0)
    fall, rise = measure_steps(fit_pipeline(loans, settings, CONFIG, AtOnce()), loans, settings, "income")
    assert fall < 0 < rise


@pytest.mark.parametrize("kind", KINDS)
def test_a_direction_that_the_loans_contradict_is_kept_all_the_same(kind: str) -> None:
    settings, loans = declare(kind, income="increasing"), draw_loans(0)
    fall, _ = measure_steps(fit_pipeline(loans, settings, CONFIG, AtOnce()), loans, settings, "income")
    assert fall >= 0
