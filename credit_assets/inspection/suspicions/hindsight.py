"""Columns that know the outcome: a model that learns from one is good in the test and useless for a new loan.

Belongs here: what shows in the values of a sample. Does not belong here: names (`names`).
"""

import math
from typing import TYPE_CHECKING

from credit_assets.checks.loan_dataset.leakage import compute_auc_alone
from credit_assets.inspection.reading.facts import mark_filled

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

# How improbable it is that so many rows of one class are chance.
CHANCE = 1e-6
# A share of the loans may have any date by mistake.
MOST_LATER = 0.05


def find_one_class(filled: "np.ndarray", outcome: "np.ndarray") -> str | None:
    """How the gaps of a column tell the outcome; None if they don't.

    Args:
        filled: whether each row has a value; shape (rows,).
        outcome: whether each row defaulted; shape (rows,).
    """
    share = float(outcome.mean()) if len(outcome) else 0.0
    for rows, what in ((filled, "filled"), (~filled, "empty")):
        count, defaults = int(rows.sum()), int(outcome[rows].sum())
        if count in (0, len(outcome)) or not 0 < share < 1:
            continue
        if defaults == count and count * math.log(share) < math.log(CHANCE):
            return f"it is {what} for loans that defaulted only"
        if defaults == 0 and count * math.log(1 - share) < math.log(CHANCE):
            return f"it is {what} for loans that did not default only"
    return None


def measure_alone(values: "pa.ChunkedArray", outcome: "np.ndarray") -> float:
    """The AUC of a column as the only score, in the rows that have a value; the check `no_leakage` measures it too.

    Args:
        values: shape (rows,).
        outcome: whether each row defaulted; shape (rows,).
    """
    filled = mark_filled(values)
    return compute_auc_alone(values.filter(filled), outcome[filled.to_numpy()])


def lies_later(values: "pa.ChunkedArray", created: "pa.ChunkedArray") -> bool:
    """Whether a time is later than the loan, in more rows than mistakes explain.

    Args:
        values: seconds; shape (rows,).
        created: when each loan was made, in seconds; shape (rows,).
    """
    import pyarrow.compute as pc

    later = pc.greater(values, created)
    known = len(later) - later.null_count
    return known > 0 and (pc.sum(later).as_py() or 0) > MOST_LATER * known
