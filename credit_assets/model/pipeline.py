"""The fit, as a pure function of loans, settings and hyperparameters.

Belongs here: the steps of each kind of model. Does not belong here: which rows it learns from (`split`), how its trees
are grown (`forest`, `boosting`), its categories (`encoding`), and how it is validated (`cross_validation`).
"""

from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from credit_assets.loans.columns import select_features, select_outcomes
from credit_assets.model.boosting import grow_boosting
from credit_assets.model.encoding import fit_encoder, trace_columns
from credit_assets.model.forest import TreeMaker, grow_forest
from credit_assets.model.growth import Growth, Make
from credit_assets.model.missing import FILLER, build_filler
from credit_assets.settings.file import Settings
from resources.errors import PlatformError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline


# A part of a test split with 500 columns takes some 100 MB.
SCORED_AT_ONCE = 20_000
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
    loans: "pa.Table", settings: Settings, config: TrainingConfig, rows: "np.ndarray | None" = None
) -> tuple["Pipeline", "np.ndarray", "np.ndarray"]:
    """The model with all its steps fitted but the last, what that one gets of the loans, and their outcomes.

    All that is learned is learned inside, from training rows only, so a row gets the same score alone and in a batch.

    Args:
        loans: the training part, or more.
        rows: which of them are the training part; None for all.
    """
    import numpy as np
    from sklearn.pipeline import Pipeline

    rows = np.arange(loans.num_rows) if rows is None else rows
    outcomes = select_outcomes(loans, settings, rows)
    # A forest compares numbers of 32 bits, whatever it is given, so that half of the memory is enough for it.
    number = "float32" if settings.model.kind == "random_forest" else "float64"
    encoder, encoded = fit_encoder(loans, rows, outcomes, settings, config.random_state, number)
    pipeline = Pipeline([("encode", encoder), *_build_steps(settings, config)])
    for _, step in pipeline.steps[1:-1]:
        encoded = step.fit_transform(encoded, outcomes)
    if declared := settings.monotonic_features:
        signs = [SIGNS.get(declared.get(column, ""), 0) for column in trace_columns(pipeline)]
        pipeline[-1].set_params(monotonic_cst=signs)
    return pipeline, encoded, outcomes


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


def prepare_trees(
    loans: "pa.Table", settings: Settings, config: TrainingConfig, rows: "np.ndarray | None" = None
) -> Make:
    """A function that grows trees of the forest of `fit_pipeline`, by their numbers.

    Args:
        loans: the training part, or more.
        rows: which of them are the training part; None for all.
    """
    pipeline, encoded, outcomes = prepare(loans, settings, config, rows)
    return TreeMaker(pipeline.named_steps["forest"], encoded, outcomes).make


def fit_pipeline(
    loans: "pa.Table", settings: Settings, config: TrainingConfig, growth: Growth, rows: "np.ndarray | None" = None
) -> "Pipeline":
    """Fits the model on all rows given.

    The number of threads is taken out of the result: it belongs to the machine, would change the artifact's bytes, and
    a forest's `predict_proba` with several threads adds in the order of arrival, so that its last bits differ.

    Args:
        loans: the training part, or more.
        growth: makes the trees; it may have some of them already.
        rows: which of the loans are the training part; None for all. A table of these rows alone would be a copy.
    """
    pipeline, encoded, outcomes = prepare(loans, settings, config, rows)
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


def score_loans(model: "Pipeline", loans: "pa.Table", settings: Settings) -> "np.ndarray":
    """The probability of a default of each loan, of a part of the loans at a time. Shape (rows,)."""
    import numpy as np

    parts = [loans.slice(start, SCORED_AT_ONCE) for start in range(0, loans.num_rows, SCORED_AT_ONCE)]
    scores = [model.predict_proba(select_features(part, settings))[:, 1] for part in parts]
    return np.concatenate(scores) if scores else np.empty(0)
