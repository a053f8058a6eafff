"""The section `model`: which kind of model a training fits.

Belongs here: the kinds, and which categories are big. Does not belong here: how each kind is fitted
(`credit_assets.model`), and the hyperparameters of one run (`TrainingConfig`).
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from credit_assets.settings.columns import Strict, add_key

ModelKind = Literal["random_forest", "hist_gradient_boosting", "logistic_regression"]


class Model(Strict):
    """The model that is trained, measured and promoted.

    Attributes:
        kind: what is fitted.
        one_hot_levels: a category with more levels in training is one number, and not a number for each level.
    """

    kind: ModelKind = "random_forest"
    one_hot_levels: Annotated[int, Field(ge=1, le=10_000)] = add_key(100)


def read_kind(facts: Mapping[str, Any]) -> str:
    """The kind of a trained model, by the facts of its manifest. Release 0.2 trained forests and recorded no kind."""
    return facts.get("kind", "random_forest")
