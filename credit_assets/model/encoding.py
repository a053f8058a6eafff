"""The encoding of declared columns as the numbers that a model learns from. All kinds of models share it.

Belongs here: which numbers stand for a column, and which column a number stands for. Does not belong here: the number
of a big category (`levels`), and what one kind of model alone needs, such as scaling (`pipeline`).
"""

from typing import TYPE_CHECKING, Any

from credit_assets.model.levels import STEP, build_level_encoder, count_levels, find_big_categories
from credit_assets.model.missing import add_missing_level, list_indicators, list_levels
from credit_assets.settings.file import Settings

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline


def build_encoder(rows: "pd.DataFrame", settings: Settings, random_state: int) -> "ColumnTransformer":
    """The unfitted encoder: categories one-hot, big ones as one number each, then numbers, NaN where one is missing.

    Args:
        rows: the features of the training part, which decide what is a big category.
        settings: what the columns are.
        random_state: of the numbers of big categories.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import OneHotEncoder

    categories = [name for name, column in settings.features.items() if column.type == "category"]
    big = find_big_categories(rows, categories, settings.model.one_hot_levels)
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    small = [name for name in categories if name not in big]
    steps: list[tuple[str, Any, list[str]]] = [("category", one_hot, small)]
    if big:
        steps.append((STEP, build_level_encoder(random_state), big))
    may_be_missing = {name for name in categories if settings.features[name].may_be_missing}
    steps = [
        (name, add_missing_level(each) if may_be_missing & {*columns} else each, columns)
        for name, each, columns in steps
    ]
    return ColumnTransformer(steps, remainder="passthrough")


def trace_columns(model: "Pipeline") -> list[str]:
    """The declared column that each number of the last step stands for, in their order.

    Args:
        model: fitted.
    """
    encoder = model.named_steps["encode"]
    ((_, one_hot, categories), *_) = encoder.transformers_
    encoded = [name for name, levels in zip(categories, list_levels(one_hot), strict=False) for _ in levels]
    big = count_levels(encoder)
    passed_on = [name for name in encoder.feature_names_in_ if name not in {*categories, *big}]
    names = [*encoded, *big, *passed_on]
    return [*names, *(names[number] for number in list_indicators(model))]
