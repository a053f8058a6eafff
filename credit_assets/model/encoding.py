"""The encoding of declared columns as the numbers that a model learns from. All kinds of models share it.

Belongs here: which numbers stand for a column, and which column a number stands for. Does not belong here: what one
kind of model alone needs, such as scaling (`pipeline`).
"""

from typing import TYPE_CHECKING

from credit_assets.settings.file import Settings

if TYPE_CHECKING:
    from sklearn.compose import ColumnTransformer


def build_encoder(settings: Settings) -> "ColumnTransformer":
    """The unfitted encoder: categories one-hot, then numbers as they are."""
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import OneHotEncoder

    categories = [name for name, column in settings.features.items() if column.type == "category"]
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return ColumnTransformer([("category", one_hot, categories)], remainder="passthrough")


def trace_columns(encoder: "ColumnTransformer") -> list[str]:
    """The declared column that each encoded number stands for, in their order.

    Args:
        encoder: fitted.
    """
    ((_, one_hot, categories), *_) = encoder.transformers_
    levels = zip(categories, getattr(one_hot, "categories_", []), strict=False)
    encoded = [name for name, values in levels for _ in values]
    return [*encoded, *(name for name in encoder.feature_names_in_ if name not in categories)]
