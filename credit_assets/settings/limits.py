"""The limits of the settings file: for checks, for promotion and for a refresh, and the prices of a worker.

Belongs here: numbers that a lender chooses. Does not belong here: columns (`columns`), and the rules that compare
with a number.
"""

from typing import Annotated

from pydantic import Field, model_validator

from credit_assets.settings.columns import Strict, add_key

Share = Annotated[float, Field(ge=0, le=1)]


class Limits(Strict):
    """What the asset checks hold the data and the model to.

    Attributes:
        minimum_rows: loans with an outcome, at least.
        maximum_missing_outcome_share: the share of NULL in the target, among the loans that are old enough for an
            outcome. A join that finds nothing leaves NULLs behind.
        minimum_class_share: the share of the rarer class among the loans with an outcome.
        maximum_feature_auc: how well one feature alone may rank the outcome.
        maximum_missing_share: the share of missing values of a column that may have some.
        maximum_missing_drift: how far that share may be from the one in the dataset of the model in use, in either
            direction; 0.1 is ten percentage points.
        minimum_auc: how well the model must rank the test split.
        cross_validation_folds: 0 for none.
    """

    minimum_rows: Annotated[int, Field(ge=50)] = 500
    maximum_missing_outcome_share: Share = add_key(0.5)
    minimum_class_share: Annotated[float, Field(gt=0, lt=0.5)] = 0.01
    maximum_feature_auc: Annotated[float, Field(gt=0.5, le=1)] = 0.98
    maximum_missing_share: Annotated[float, Field(ge=0, lt=1)] = add_key(0.95)
    maximum_missing_drift: Share = add_key(0.1)
    minimum_auc: Annotated[float, Field(ge=0.5, le=1)] = 0.6
    cross_validation_folds: Annotated[int, Field(ge=0, le=50)] = 0


class Promotion(Strict):
    """What a new model must show to become the promoted one by itself; a person may promote any.

    Each model's ROC AUC is of its own held-out loans, so that the two differ by chance too: the standard error of 0.837
    on 932 defaults and 3,068 others is 0.009 (Hanley and McNeil 1982), and `maximum_auc_loss` should be above it.
    """

    minimum_auc: Annotated[float, Field(ge=0.5, le=1)] = 0.6
    maximum_auc_loss: Annotated[float, Field(ge=0, le=0.5)] = 0.02


class Refresh(Strict):
    """How many loans in no dataset start a refresh: the greater of a count and a share of the last dataset's rows."""

    new_loans: Annotated[int, Field(ge=1)] = 1_000
    new_loans_share: Share = 0.05


class Prices(Strict):
    """What an hour of a worker costs, in any currency, on a node that stays and on a spot node: both, or neither."""

    on_demand: Annotated[float, Field(gt=0)] | None = None
    spot: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> "Prices":
        if (self.on_demand is None) != (self.spot is None):
            raise ValueError("on_demand and spot are compared: give both, or neither")
        return self
