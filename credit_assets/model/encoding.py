"""The encoding of declared columns as the numbers that a model learns from. All kinds of models share it.

Belongs here: which numbers stand for a column, and which column a number stands for. Does not belong here: what one
kind of model alone needs, such as scaling (`pipeline`).
"""

from typing import TYPE_CHECKING

from credit_assets.model.missing import add_missing_level, list_indicators, list_levels
from credit_assets.settings.file import Settings

if TYPE_CHECKING:
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline


def build_encoder(settings: Settings) -> "ColumnTransformer":
    """The unfitted encoder: categories one-hot, then numbers as they are, NaN where one is missing."""
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import OneHotEncoder

    categories = [name for name, column in settings.features.items() if column.type == "category"]
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    if any(settings.features[name].may_be_missing for name in categories):
        one_hot = add_missing_level(one_hot)
    return ColumnTransformer([("category", one_hot, categories)], remainder="passthrough")


def trace_columns(model: "Pipeline") -> list[str]:
    """The declared column that each number of the last step stands for, in their order.

    Args:
        model: fitted.
    """
    encoder = model.named_steps["encode"]
    ((_, one_hot, categories), *_) = encoder.transformers_
    encoded = [name for name, levels in zip(categories, list_levels(one_hot), strict=False) for _ in levels]
    names = [*encoded, *(name for name in encoder.feature_names_in_ if name not in categories)]
    return [*names, *(names[number] for number in list_indicators(model))]
