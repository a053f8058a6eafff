"""What a model sees of the loans: their features and their outcome, and nothing else.

A loan has an outcome if its target is not NULL in the dataset: the statement that reads the loans (`table`) leaves out
the target of a loan that is too young. Everybody who learns or measures takes the loans with an outcome.
"""

from typing import TYPE_CHECKING

from credit_assets.settings.file import Settings
from credit_assets.settings.learning.target import Target

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa


def select_features(loans: "pa.Table", settings: Settings, rows: "np.ndarray | None" = None) -> "pd.DataFrame":
    """The declared features, in their declared order, of some rows or of all. Shape (rows, features)."""
    features = loans.select(list(settings.features))
    return (features if rows is None else features.take(rows)).to_pandas()


def mark_outcomes(values: "pa.ChunkedArray", target: Target) -> "pa.ChunkedArray":
    """True for a loan that defaulted, false for one that was repaid, NULL for any other. Shape (rows,).

    Args:
        values: the target's column. NULL is no outcome, and neither are NaN, an infinite number, and a value that is
            not one of two.
        target: what the values mean.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if target.at_least is not None:
        defaulted, known = pc.greater_equal(values, target.at_least), pc.is_finite(values)
    elif target.at_most is not None:
        defaulted, known = pc.less_equal(values, target.at_most), pc.is_finite(values)
    else:
        repaid, defaulted = (pc.equal(values, pa.scalar(each, values.type)) for each in target.stored_values)
        known = pc.or_(repaid, defaulted)
    return pc.if_else(known, defaulted, None)


def find_loans_with_outcome(loans: "pa.Table", settings: Settings) -> "np.ndarray":
    """The numbers of the rows that have an outcome, rising: what can be learned from and measured on."""
    import numpy as np
    import pyarrow.compute as pc

    return np.flatnonzero(pc.is_valid(mark_outcomes(loans.column(settings.target.column), settings.target)).to_numpy())


def take_loans_with_outcome(loans: "pa.Table", settings: Settings) -> "pa.Table":
    """The loans that have an outcome; the table itself, and no copy, if all of them have one."""
    rows = find_loans_with_outcome(loans, settings)
    return loans if len(rows) == loans.num_rows else loans.take(rows)


def select_outcomes(loans: "pa.Table", settings: Settings, rows: "np.ndarray | None" = None) -> "np.ndarray":
    """1 for a loan that defaulted, else 0, of some rows or of all. Shape (rows,), int8.

    Raises:
        ValueError: a loan has no outcome. Taken for repaid, it would teach the model that it was.
    """
    values = loans.column(settings.target.column)
    marks = mark_outcomes(values if rows is None else values.take(rows), settings.target)
    if marks.null_count:
        raise ValueError(
            f"{marks.null_count:,} of {len(marks):,} loans have no outcome; use take_loans_with_outcome first"
        )
    return marks.to_numpy().astype("int8")
