"""How well one feature alone ranks the outcome."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


def compute_auc_alone(values: "pa.ChunkedArray", outcome: "np.ndarray") -> float:
    """AUC of one feature used as a score, whichever way it points; 0.5 where it is not defined.

    It is not defined without two classes, or with a value that is missing: `two_classes` and `no_nulls` report these.

    Args:
        values: numbers, or the texts of a category.
        outcome: true for a loan that defaulted; shape (rows,).
    """
    import numpy as np
    import pyarrow.types as pt
    from sklearn.metrics import roc_auc_score

    if pt.is_string(values.type):
        scores, outcome = _score_categories(values, outcome)
    else:
        scores = values.to_numpy().astype("float64", copy=False)
    if outcome.all() or not outcome.any() or not np.isfinite(scores).all():
        return 0.5
    auc = float(roc_auc_score(outcome, scores))
    return max(auc, 1 - auc)


def _score_categories(values: "pa.ChunkedArray", outcome: "np.ndarray") -> tuple["np.ndarray", "np.ndarray"]:
    """The default share of each category, learned on half of the rows, as a score of the others; and their outcomes.

    Judged on the rows that it was learned from, a category with many rare levels would pass for knowledge. The halves
    are drawn by lot, because every other row may be a default.
    """
    import numpy as np

    levels = values.dictionary_encode(null_encoding="encode").combine_chunks().indices.to_numpy()
    half = np.random.default_rng(0).random(len(outcome)) < 0.5
    number = int(levels.max(initial=-1)) + 1
    rows = np.bincount(levels[half], minlength=number)
    defaults = np.bincount(levels[half], weights=outcome[half], minlength=number)
    # A level that the first half does not have gets the share of all loans.
    shares = np.full(number, outcome.mean() if len(outcome) else 0.0)
    np.divide(defaults, rows, out=shares, where=rows > 0)
    return shares[levels[~half]], outcome[~half]
