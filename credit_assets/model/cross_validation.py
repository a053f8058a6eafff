"""Cross-validation: the AUC over folds of all loans with an outcome, a fold at a time, so that a retry repeats none."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from credit_assets.loans.columns import select_outcomes, take_loans_with_outcome
from credit_assets.model.growth import AtOnce, Grow
from credit_assets.model.pipeline import TrainingConfig, fit_pipeline, score_loans
from credit_assets.settings.file import Settings

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


def cross_validate(
    loans: "pa.Table", settings: Settings, config: TrainingConfig, grow: Grow
) -> dict[str, float] | None:
    """Mean and standard deviation of the AUC over stratified folds of all loans with an outcome.

    They are those of scikit-learn's `cross_val_score(…, scoring="roc_auc")` with the same folds.

    Args:
        grow: makes the folds; calls back for those that no earlier attempt has committed. An item is the AUC of one
            fold as JSON.

    Returns:
        `folds`, `roc_auc_mean` and `roc_auc_std`; None if the settings ask for no folds.
    """
    import numpy as np
    from sklearn.model_selection import StratifiedKFold

    folds = settings.limits.cross_validation_folds
    if not folds:
        return None
    loans = take_loans_with_outcome(loans, settings)
    outcome = select_outcomes(loans, settings)
    splits = list(StratifiedKFold(folds, shuffle=True, random_state=config.random_state).split(outcome, outcome))

    def score_folds(numbers: Iterator[int]) -> Iterator[bytes]:
        for train, test in map(splits.__getitem__, numbers):
            yield json.dumps({"roc_auc": _score_fold(loans, outcome, train, test, settings, config)}).encode()

    aucs = np.array([json.loads(item)["roc_auc"] for item in grow(folds, score_folds)])
    return {"folds": folds, "roc_auc_mean": float(aucs.mean()), "roc_auc_std": float(aucs.std())}


def _score_fold(
    loans: "pa.Table",
    outcome: "np.ndarray",
    train: "np.ndarray",
    test: "np.ndarray",
    settings: Settings,
    config: TrainingConfig,
) -> float:
    """The AUC on the row numbers `test` of a model that was fitted on the row numbers `train`."""
    from sklearn.metrics import roc_auc_score

    pipeline = fit_pipeline(loans, settings, config, AtOnce(), train)
    return float(roc_auc_score(outcome[test], score_loans(pipeline, loans.take(test), settings)))
