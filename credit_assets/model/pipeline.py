"""The fit, as a pure function of loans, settings and hyperparameters.

Belongs here: the steps of each kind of model. Does not belong here: which rows it learns from (`split`), how its trees
are grown (`forest`, `boosting`), its categories (`encoding`), and how it is validated (`cross_validation`).
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from credit_assets.loans.columns import select_features, select_outcomes
from credit_assets.model.boosting import grow_boosting
from credit_assets.model.encoding import build_encoder, trace_columns
from credit_assets.model.forest import grow_forest, grow_trees
from credit_assets.model.growth import Growth
from credit_assets.model.missing import FILLER, build_filler
from credit_assets.settings.file import Settings
from resources.errors import PlatformError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline


# How scikit-learn says in which direction a number moves the probability of a default.
SIGNS = {"increasing": 1, "decreasing": -1}


class HyperparameterError(PlatformError, ValueError):
    """A run sets a hyperparameter that its kind of model does not have: says which, and what to do."""


class TrainingConfig(dg.Config):
    """Hyperparameters of the split and of the model, as Dagster's launchpad shows them."""

    n_estimators: int = Field(default=100, ge=1, le=5_000, description="Trees. A logistic regression has none.")
    max_depth: int = Field(default=10, ge=1, le=64, description="Greatest depth of a tree.")
    random_state: int = Field(default=42, ge=0, le=2**32 - 1, description="Seed of the split and of the trees.")
    test_share: float = Field(default=0.2, gt=0.0, lt=1.0, description="Share of the loans that are kept for the test.")


def refuse_unused(settings: Settings, config: TrainingConfig) -> None:
    """Raises HyperparameterError if a run sets a hyperparameter that the declared kind of model does not have."""
    if settings.model.kind != "logistic_regression":
        return
    fields = TrainingConfig.model_fields
    unused = [name for name in ("n_estimators", "max_depth") if getattr(config, name) != fields[name].default]
    if unused:
        raise HyperparameterError(
            f"{', '.join(unused)}: a logistic_regression (model.kind in the settings) has no trees, so it would ignore "
            "this. Remove it from the config of training, or choose another kind"
        )


def prepare(
    rows: "pd.DataFrame", outcomes: "np.ndarray", settings: Settings, config: TrainingConfig
) -> tuple["Pipeline", "np.ndarray"]:
    """The model with all its steps fitted but the last, and the rows as that one gets them. Shape (rows, numbers).

    All that is learned is learned inside, from training rows only, so a row gets the same score alone and in a batch.

    Args:
        rows: the features of the training part.
        outcomes: 1 for a default, else 0; shape (rows,).
    """
    from sklearn.pipeline import Pipeline

    encoder = build_encoder(rows, settings, config.random_state)
    pipeline = Pipeline([("encode", encoder), *_build_steps(settings, config)])
    encoded = pipeline[:-1].fit_transform(rows, outcomes)
    if declared := settings.monotonic_features:
        signs = [SIGNS.get(declared.get(column, ""), 0) for column in trace_columns(pipeline)]
        pipeline[-1].set_params(monotonic_cst=signs)
    return pipeline, encoded


def _build_steps(settings: Settings, config: TrainingConfig) -> list[tuple[str, Any]]:
    """The unfitted steps behind the encoder, by the declared kind of model."""
    from joblib import cpu_count
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    if settings.model.kind == "logistic_regression":
        numbers = (column for column in settings.features.values() if column.type != "category")
        fill = [(FILLER, build_filler())] if any(column.may_be_missing for column in numbers) else []
        return [*fill, ("scale", StandardScaler()), ("regression", LogisticRegression(max_iter=1_000))]
    shared: dict[str, Any] = {"max_depth": config.max_depth, "random_state": config.random_state}
    if settings.model.kind == "hist_gradient_boosting":
        boosting = HistGradientBoostingClassifier(max_iter=config.n_estimators, early_stopping=False, **shared)
        return [("boosting", boosting)]
    return [("forest", RandomForestClassifier(n_estimators=config.n_estimators, n_jobs=cpu_count(), **shared))]


def prepare_trees(loans: "pa.Table", settings: Settings, config: TrainingConfig) -> Callable[[int, int], list[bytes]]:
    """A function that grows trees of the forest of `fit_pipeline`, from any one up to any other.

    Args:
        loans: the training part.
    """
    outcomes = select_outcomes(loans, settings)
    pipeline, encoded = prepare(select_features(loans, settings), outcomes, settings, config)
    return partial(grow_trees, pipeline.named_steps["forest"], encoded, outcomes)


def fit_pipeline(loans: "pa.Table", settings: Settings, config: TrainingConfig, growth: Growth) -> "Pipeline":
    """Fits the model on all rows given.

    Args:
        loans: the training part.
        growth: makes the trees; it may have some of them already.
    """
    return fit_rows(select_features(loans, settings), select_outcomes(loans, settings), settings, config, growth)


def fit_rows(
    rows: "pd.DataFrame", outcomes: "np.ndarray", settings: Settings, config: TrainingConfig, growth: Growth
) -> "Pipeline":
    """Fits the model on features and outcomes.

    The number of threads is taken out of the result: it belongs to the machine, would change the artifact's bytes, and
    a forest's `predict_proba` with several threads adds in the order of arrival, so that its last bits differ.

    Args:
        rows: the features, shape (rows, features).
        outcomes: 1 for a default, else 0; shape (rows,).
        growth: as in `fit_pipeline`.
    """
    pipeline, encoded = prepare(rows, outcomes, settings, config)
    name, unfitted = pipeline.steps[-1]
    if name == "forest":
        fitted = grow_forest(unfitted, encoded, outcomes, growth.grow).set_params(n_jobs=1)
    elif name == "boosting":
        fitted = grow_boosting(unfitted, encoded, outcomes, growth)
    else:
        fitted = _fit_regression(unfitted, encoded, outcomes)
    pipeline.steps[-1] = (name, fitted)
    return pipeline


def _fit_regression(
    regression: "LogisticRegression", rows: "np.ndarray", outcomes: "np.ndarray"
) -> "LogisticRegression":
    """The fitted regression. It takes seconds, so it has no blocks.

    One thread: several would add in another order, and the coefficients would have other last bits.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return regression.fit(rows, outcomes)
