"""The encoding of declared columns as the numbers that a model learns from. All kinds of models share it.

Belongs here: which numbers stand for a column, and which column a number stands for. Does not belong here: the number
of a big category (`levels`), and what one kind of model alone needs, such as scaling (`pipeline`).
"""

from typing import TYPE_CHECKING, Any

from credit_assets.loans.columns import select_features
from credit_assets.model.levels import STEP, build_level_encoder, count_levels, find_big_categories
from credit_assets.model.missing import add_missing_level, list_indicators, list_levels
from credit_assets.settings.file import Settings

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

# So many numbers are encoded at a time: 32 MB of them.
NUMBERS_AT_ONCE = 1 << 22


def build_encoder(rows: "pd.DataFrame", settings: Settings, random_state: int) -> "ColumnTransformer":
    """The unfitted encoder: categories one-hot, big ones as one number each, then numbers, NaN where one is missing.

    Args:
        rows: the categories of the training part, which decide what is a big category.
        settings: what the columns are.
        random_state: of the numbers of big categories.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import OneHotEncoder

    categories = list_categories(settings)
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


def list_categories(settings: Settings) -> list[str]:
    """The features that are categories, in their declared order."""
    return [name for name, column in settings.features.items() if column.type == "category"]


def fit_encoder(
    loans: "pa.Table", rows: "np.ndarray", outcomes: "np.ndarray", settings: Settings, random_state: int, number: str
) -> tuple["ColumnTransformer", "np.ndarray"]:
    """The fitted encoder, and the loans that it was fitted on, encoded. Shape (rows, numbers).

    A whole large table as a frame, and then as numbers, would not fit into the pod of a run beside the dataset. So the
    encoder learns its levels from the first loan of each level, and encodes a part of the loans at a time. The number
    of a big category depends on all loans: with such a category, they are encoded at once.

    Args:
        loans: some that are learned from, and maybe others.
        rows: which ones are learned from.
        outcomes: of these rows, 1 for a default, else 0.
        settings: what the columns are.
        random_state: of the numbers of big categories.
        number: NumPy's name of the type of the encoded numbers.
    """
    import numpy as np

    categories = loans.select(list_categories(settings)).take(rows).to_pandas()
    encoder = build_encoder(categories, settings, random_state)
    if any(name == STEP for name, _, _ in encoder.transformers):
        encoded = encoder.fit_transform(select_features(loans, settings, rows), outcomes)
        return encoder, encoded.astype(number, copy=False)
    first = rows[_find_first_of_levels(categories)]
    del categories
    width = encoder.fit_transform(select_features(loans, settings, first)).shape[1]
    encoded, at_once = np.empty((len(rows), width), number), max(NUMBERS_AT_ONCE // width, 1)
    for start in range(0, len(rows), at_once):
        part = rows[start : start + at_once]
        encoded[start : start + len(part)] = encoder.transform(select_features(loans, settings, part))
    return encoder, encoded


def _find_first_of_levels(categories: "pd.DataFrame") -> "np.ndarray":
    """Rows that have every level of every category, and a missing one where there is one; the first row at least."""
    import numpy as np

    is_first = np.zeros(len(categories), bool)
    is_first[:1] = True
    for name in categories:
        is_first |= ~categories[name].duplicated().to_numpy()
    return np.flatnonzero(is_first)


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
