"""What a model sees of the loans: their features and their outcome, and nothing else."""

from typing import TYPE_CHECKING

from credit_assets.settings.file import Settings

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa


def select_features(loans: "pa.Table", settings: Settings) -> "pd.DataFrame":
    """The declared features, in their declared order. Shape (rows, features)."""
    return loans.select(list(settings.features)).to_pandas()


def select_outcomes(loans: "pa.Table", settings: Settings) -> "np.ndarray":
    """1 for a loan that defaulted, else 0. Shape (rows,), int8."""
    import pyarrow.compute as pc

    return pc.equal(loans.column(settings.target.column), settings.target.positive).to_numpy().astype("int8")
