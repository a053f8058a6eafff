"""What a model does with missing values. All of it is scikit-learn's own, so that a model loads without this package.

A category that is missing is a level of its own. A number that is missing stays NaN for trees, which split on it. A
regression gets the median and one more number, which says that the value was missing.

Belongs here: steps for missing values, which all kinds of models share. Does not belong here: which columns may have
them (`credit_assets.settings.columns`).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder, TargetEncoder

FILLER = "fill"


def add_missing_level(encoder: "OneHotEncoder | TargetEncoder") -> Any:
    """The encoder with a step before it that writes None, NaN and `pandas.NA` as NaN: it takes NaN for one more level.

    Without that step, None and NaN would be two levels, and a row that is scored alone could have the other one. If no
    value was missing in training there is no such level, and a missing category is encoded like one never seen.
    """
    import numpy as np
    import pandas as pd
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline

    write_as_nan = SimpleImputer(missing_values=pd.NA, strategy="constant", fill_value=np.nan, keep_empty_features=True)
    return Pipeline([("missing", write_as_nan), ("encode", encoder)])


def build_filler() -> "SimpleImputer":
    """A step for models that take no NaN: the median of the training rows, and one more number that says it was NaN.

    A column that lacks no value in training has no such number. If it lacks one later, it gets the median.
    """
    from sklearn.impute import SimpleImputer

    return SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)


def list_levels(encoder: Any) -> list[Any]:
    """The levels of each category, in the order of the categories; empty if there is no category.

    Args:
        encoder: fitted; what `add_missing_level` returns, or the encoder that it takes.
    """
    own = encoder[-1] if hasattr(encoder, "steps") else encoder
    return getattr(own, "categories_", [])


def list_indicators(model: "Pipeline") -> list[int]:
    """Which of the encoded numbers have one more number behind all others, which says that they were NaN.

    Args:
        model: fitted.
    """
    filler = model.named_steps.get(FILLER)
    return [] if filler is None else filler.indicator_.features_.tolist()
