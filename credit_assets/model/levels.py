"""Big categories: one number for a category with many levels, instead of a number for each level.

The number is the share of defaults among the training loans of the level, drawn towards that of all loans where the
level has few. A loan of the training part gets the share of other loans than itself, because its own outcome would
teach the model to trust a rare level. A level that training never saw gets the share of all loans.

Belongs here: which categories are big, and their encoder. Does not belong here: all other columns (`encoding`).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from credit_assets.model.missing import list_levels

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import TargetEncoder

STEP = "levels"
# A loan of the training part gets the shares of the other four parts.
PARTS = 5


def find_big_categories(rows: "pd.DataFrame", categories: Sequence[str], most_levels: int) -> list[str]:
    """The categories with more levels than so many, in the order given.

    Args:
        rows: the features of the training part: what a model learns from decides how it is encoded.
        categories: names of columns.
        most_levels: the most numbers that stand for one category.
    """
    return [name for name in categories if rows[name].nunique() > most_levels]


def build_level_encoder(random_state: int) -> "TargetEncoder":
    """The unfitted encoder of big categories.

    Args:
        random_state: decides the parts of the training loans, so that another training makes the same numbers.
    """
    from sklearn.model_selection import KFold
    from sklearn.preprocessing import TargetEncoder

    parts = KFold(PARTS, shuffle=True, random_state=random_state)
    return TargetEncoder(target_type="binary", smooth="auto", cv=parts)


def count_levels(encoder: "ColumnTransformer") -> dict[str, int]:
    """How many levels each big category had in training; empty if there is none.

    Args:
        encoder: fitted, of all columns.
    """
    for name, levels, columns in encoder.transformers_:
        if name == STEP:
            return {column: len(known) for column, known in zip(columns, list_levels(levels), strict=True)}
    return {}
