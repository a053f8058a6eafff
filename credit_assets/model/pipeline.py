"""The split and the fit, as pure functions of loans, settings and hyperparameters.

Belongs here: which rows the model learns from, and its preprocessing. Does not belong here: how its trees are grown
(`forest`), and how it is validated (`cross_validation`).
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from credit_assets.loans.columns import select_features, select_outcomes
from credit_assets.model.forest import Grow, grow_forest, grow_trees
from credit_assets.settings.file import Settings

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from sklearn.pipeline import Pipeline


class TrainingConfig(dg.Config):
    """Hyperparameters of the split and of the forest, as Dagster's launchpad shows them."""

    n_estimators: int = Field(default=100, ge=1, le=5_000, description="Trees in the forest.")
    max_depth: int = Field(default=10, ge=1, le=64, description="Greatest depth of a tree.")
    random_state: int = Field(default=42, ge=0, le=2**32 - 1, description="Seed of the split and of the forest.")
    test_share: float = Field(default=0.2, gt=0.0, lt=1.0, description="Share of the loans that are kept for the test.")


def split_rows(loans: "pa.Table", settings: Settings, config: TrainingConfig) -> tuple["np.ndarray", "np.ndarray"]:
    """Row numbers of the training and the test part, stratified by outcome, each in the order of the dataset.

    Returns:
        Two arrays of row numbers, rising, without a common one.

    Raises:
        ValueError: a class has too few rows to be in both parts.
    """
    import numpy as np
    from sklearn.model_selection import train_test_split

    train, test = train_test_split(
        np.arange(loans.num_rows),
        test_size=config.test_share,
        random_state=config.random_state,
        stratify=select_outcomes(loans, settings),
    )
    return np.sort(train), np.sort(test)


def build_pipeline(settings: Settings, config: TrainingConfig) -> "Pipeline":
    """The unfitted model: one-hot categories, numbers as they are, a random forest.

    All that is learned is learned inside, from training rows only, so a row gets the same score alone and in a batch.
    """
    from joblib import cpu_count
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder

    categories = [name for name, column in settings.features.items() if column.type == "category"]
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return Pipeline(
        [
            ("encode", ColumnTransformer([("category", encoder, categories)], remainder="passthrough")),
            (
                "forest",
                RandomForestClassifier(
                    n_estimators=config.n_estimators,
                    max_depth=config.max_depth,
                    random_state=config.random_state,
                    n_jobs=cpu_count(),
                ),
            ),
        ]
    )


def prepare_trees(loans: "pa.Table", settings: Settings, config: TrainingConfig) -> Callable[[int, int], list[bytes]]:
    """A function that grows trees of the forest of `fit_pipeline`, from any one up to any other.

    Args:
        loans: the training part.
    """
    pipeline = build_pipeline(settings, config)
    encoded = pipeline.named_steps["encode"].fit_transform(select_features(loans, settings))
    return partial(grow_trees, pipeline.named_steps["forest"], encoded, select_outcomes(loans, settings))


def fit_pipeline(loans: "pa.Table", settings: Settings, config: TrainingConfig, grow: Grow) -> "Pipeline":
    """Fits the model on all rows given.

    The number of threads is taken out of the result: it belongs to the machine, would change the artifact's bytes, and
    `predict_proba` with several threads adds in the order of arrival, so that its last bits differ from call to call.

    Args:
        loans: the training part.
        grow: makes the trees; it may have some of them already.
    """
    pipeline = build_pipeline(settings, config)
    encoded = pipeline.named_steps["encode"].fit_transform(select_features(loans, settings))
    forest = grow_forest(pipeline.named_steps["forest"], encoded, select_outcomes(loans, settings), grow)
    pipeline.steps[-1] = ("forest", forest.set_params(n_jobs=1))
    return pipeline
