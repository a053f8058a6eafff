"""A missing value must be scored as it was learned, or an application that lacks one gets a score by accident."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.pipeline import Pipeline

from credit_assets.loans.columns import select_features
from credit_assets.measurement.importance import sum_importance_by_column
from credit_assets.model.growth import AtOnce
from credit_assets.model.pipeline import TrainingConfig, fit_pipeline
from credit_assets.settings.file import Settings
from credit_assets.settings.learning.model import ModelKind

KINDS = ("random_forest", "hist_gradient_boosting", "logistic_regression")
CONFIG = TrainingConfig(n_estimators=12, max_depth=4)
ROWS = 1_200
ALL_KINDS = pytest.mark.parametrize("kind", KINDS)


def declare(kind: ModelKind, missing: str = "allowed") -> Settings:
    types = {"income": "number", "purpose": "category", "term": "integer", "region": "category"}
    return Settings.model_validate(
        {
            "table": {"name": "loans"},
            "target": {"column": "default_status"},
            "features": {name: {"type": each, "missing": missing} for name, each in types.items()},
            "model": {"kind": kind},
        }
    )


def make_loans(lacking: bool = True) -> pa.Table:
    """Loans that default more often if they lack their income or their purpose; or with these values made up."""
    rng = np.random.default_rng(5)
    no_income, no_purpose = rng.random(ROWS) < 0.3, rng.random(ROWS) < 0.3
    outcome = rng.random(ROWS) < 0.1 + 0.4 * no_income + 0.4 * no_purpose
    gaps = {"income": no_income, "purpose": no_purpose, "term": rng.random(ROWS) < 0.1}
    columns = {
        "income": rng.normal(40_000, 9_000, ROWS),
        "purpose": rng.choice(["car", "house"], ROWS),
        "term": rng.integers(6, 72, ROWS),
        "region": rng.choice(["north", "south"], ROWS),
    }
    masks = {name: gaps.get(name) if lacking else None for name in columns}
    arrays = {name: pa.array(values, mask=masks[name]) for name, values in columns.items()}
    return pa.table(arrays | {"default_status": outcome.astype("int64")})


@cache
def fit(kind: ModelKind, missing: str = "allowed", *, lacking: bool = True) -> Pipeline:
    return fit_pipeline(make_loans(lacking), declare(kind, missing), CONFIG, AtOnce())


def score(model: Pipeline, **changed: Any) -> float:
    """The score of one loan that is scored alone."""
    row = {"income": 40_000.0, "purpose": "car", "term": 24, "region": "north"} | changed
    return float(model.predict_proba(pd.DataFrame([row]))[0, 1])


@ALL_KINDS
def test_a_gap_that_tells_the_outcome_is_learned_in_numbers_and_in_categories(kind: ModelKind) -> None:
    model = fit(kind)
    assert score(model, income=None) > score(model) + 0.2
    assert score(model, purpose=None) > score(model) + 0.2


@ALL_KINDS
@pytest.mark.parametrize(
    ("missing", "names"),
    [(None, ("income", "purpose", "term")), (float("nan"), ("income", "purpose", "term")), (pd.NA, ("purpose",))],
    ids=["None", "NaN", "NA"],
)
def test_every_kind_of_missing_value_scores_alone_as_null_does_in_a_batch(
    kind: ModelKind, missing: Any, names: tuple[str, ...]
) -> None:
    model, rows = fit(kind), select_features(make_loans(), declare(kind))
    batch = model.predict_proba(rows)[:, 1]
    for name in names:
        at = int(np.flatnonzero(rows[name].isna() & (rows.isna().sum(axis=1) == 1))[0])
        whole = rows.iloc[at].to_dict() | {name: missing}
        # A regression multiplies all rows at once, in an order that depends on their number.
        assert score(model, **whole) == pytest.approx(batch[at], abs=1e-14 if kind == "logistic_regression" else 0)


@ALL_KINDS
def test_a_value_that_lacked_in_no_training_row_still_gets_a_score(kind: ModelKind) -> None:
    model = fit(kind, lacking=False)
    for name in ("income", "purpose", "term", "region"):
        assert 0 < score(model, **{name: None}) < 1
    assert score(model, purpose=None) == score(model, purpose="never seen")


@ALL_KINDS
def test_importances_are_of_the_declared_columns_and_count_gaps(kind: ModelKind) -> None:
    importance = sum_importance_by_column(fit(kind))
    assert importance.keys() == {"income", "purpose", "term", "region"}
    assert sum(importance.values()) == pytest.approx(1)
    assert set(list(importance)[:2]) == {"income", "purpose"}, "their gaps tell the outcome, and nothing else does"


@ALL_KINDS
def test_a_model_of_settings_that_allow_no_gap_has_no_step_for_them(kind: ModelKind) -> None:
    strict, allowing = (fit(kind, missing, lacking=False) for missing in ("refused", "allowed"))
    assert "SimpleImputer" not in repr(strict)
    assert "SimpleImputer" in repr(allowing)


@ALL_KINDS
def test_a_model_can_be_loaded_without_this_package(kind: ModelKind) -> None:
    model = fit(kind)
    category = model.named_steps["encode"].named_transformers_["category"]
    steps = [*model.named_steps.values(), category, *category.named_steps.values()]
    assert {type(step).__module__.partition(".")[0] for step in steps} == {"sklearn"}
