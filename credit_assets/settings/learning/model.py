"""The section `model`: which kind of model a training fits.

Belongs here: the kinds. Does not belong here: how each is fitted (`credit_assets.model`), and the hyperparameters of
one run (`TrainingConfig`).
"""

from typing import Literal

from credit_assets.settings.columns import Strict

ModelKind = Literal["random_forest", "hist_gradient_boosting", "logistic_regression"]


class Model(Strict):
    """The model that is trained, measured and promoted."""

    kind: ModelKind = "random_forest"
