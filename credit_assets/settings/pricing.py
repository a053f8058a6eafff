"""The section `pricing`: what a segment's rate follows from, and the bounds that a person sets for it.

Belongs here: what pricing is told by the settings. Does not belong here: the formula (`credit_assets.pricing.rate`),
and what an hour of a worker costs, which is the section `prices` (`limits`).
"""

from typing import Annotated

from pydantic import Field, model_validator

from credit_assets.settings.columns import Strict
from credit_assets.settings.limits import Share
from credit_assets.settings.names import Name, TableName


class Pricing(Strict):
    """How segments are priced. A rate is a share: 0.08 is 8 %; it is for the time in which the target counts a default.

    Attributes:
        segment: the column of the table of locations that names the segment of each.
        prices: the table that prices are written to. The platform makes it if it is missing.
        base_rate: what a loan without any risk would cost: funding, operation and margin.
        loss_given_default: the share of a loan that is lost if it defaults.
        minimum_rate: no rate is below this.
        maximum_rate: no rate is above this.
        maximum_step: the greatest change against the published rate of the segment, up or down, as a difference.
        minimum_scores: a rate follows from at least so many scores, because the mean of a few is a matter of chance.
        maximum_age_hours: scores that were written earlier than this don't count.
    """

    segment: Name
    prices: TableName
    base_rate: Share
    loss_given_default: Share
    minimum_rate: Share
    maximum_rate: Share
    maximum_step: Annotated[float, Field(gt=0, le=1)]
    minimum_scores: Annotated[int, Field(ge=1)] = 30
    maximum_age_hours: Annotated[float, Field(gt=0, le=8_760)] = 7.0

    @model_validator(mode="after")
    def _rates_have_room(self) -> "Pricing":
        if self.minimum_rate >= self.maximum_rate:
            raise ValueError(
                "minimum_rate is not below maximum_rate, so that scores could not change a rate: give them room"
            )
        if self.base_rate >= self.maximum_rate:
            raise ValueError(
                "base_rate is not below maximum_rate, so that every rate would be the maximum: lower the one, or "
                "raise the other"
            )
        return self
