"""How much each declared column contributes to a model, by the measure that its kind has."""

from typing import TYPE_CHECKING

from credit_assets.model.boosting import sum_gains
from credit_assets.model.encoding import trace_columns

if TYPE_CHECKING:
    import numpy as np
    from sklearn.pipeline import Pipeline


def sum_importance_by_column(model: "Pipeline") -> dict[str, float]:
    """The importance of each column, summed over the numbers that stand for it, greatest first; sums to 1."""
    total = dict.fromkeys(model.feature_names_in_, 0.0)
    for name, value in zip(trace_columns(model), _measure_numbers(model), strict=True):
        total[name] += float(value)
    return dict(sorted(total.items(), key=lambda item: -item[1]))


def _measure_numbers(model: "Pipeline") -> "np.ndarray":
    """The importance of each encoded number. Shape (numbers,).

    A forest has its mean decrease in impurity, a boosting the gain of its splits, and a regression the size of its
    coefficients, which can be compared because the numbers before them are scaled.
    """
    import numpy as np

    *_, (kind, fitted) = model.named_steps.items()
    if kind == "forest":
        return fitted.feature_importances_
    if kind == "boosting":
        return sum_gains(fitted)
    sizes = np.abs(fitted.coef_[0])
    return sizes / total if (total := sizes.sum()) else sizes
