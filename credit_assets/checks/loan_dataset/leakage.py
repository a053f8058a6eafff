"""How well one feature alone ranks the outcome."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

# Of fewer defaults, or fewer other loans, a few values that are not missing may rank all by chance.
FEWEST = 20


def compute_auc_alone(values: "pa.ChunkedArray", outcome: "np.ndarray") -> float:
    """AUC of one feature used as a score, whichever way it points; 0.5 where it is not defined, as without two classes.

    That a number is missing may tell the outcome, and so may the numbers that are there. Each is ranked by itself, and
    the greater AUC counts. For a category, missing is one level more.

    Args:
        values: numbers, or the texts of a category.
        outcome: true for a loan that defaulted; shape (rows,).
    """
    import numpy as np
    import pyarrow.types as pt

    if pt.is_string(values.type):
        return _compute_auc(*_score_categories(values, outcome))
    numbers = values.to_numpy()
    known = np.isfinite(numbers)
    if known.all():
        return _compute_auc(numbers, outcome)
    defaults = int(outcome[known].sum())
    enough = min(defaults, int(known.sum()) - defaults) >= FEWEST
    return max(_compute_auc(known, outcome), _compute_auc(numbers[known], outcome[known]) if enough else 0.5)


def _compute_auc(scores: "np.ndarray", outcome: "np.ndarray") -> float:
    """The share of pairs of a default and another loan in which the default has the higher score; a tie is half a pair.

    That is the Mann-Whitney U statistic, divided by the number of pairs (Hanley and McNeil, 1982). scikit-learn gives
    the same, and is slower, because it also finds the thresholds.
    """
    import numpy as np

    defaults, others = scores[outcome], scores[~outcome]
    # In place: a sorted copy would be one more column in memory.
    defaults.sort()
    others.sort()
    if not len(defaults) or not len(others):
        return 0.5
    lower = np.searchsorted(others, defaults, "left").sum(dtype="int64")
    not_higher = np.searchsorted(others, defaults, "right").sum(dtype="int64")
    auc = (int(lower) + int(not_higher)) / (2 * len(defaults) * len(others))
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
