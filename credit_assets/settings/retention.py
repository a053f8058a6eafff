"""The section `retention`: how long what is not needed any more is kept.

Belongs here: the limits. Does not belong here: what they apply to (`credit_assets.retention`).
"""

from typing import Annotated

from pydantic import Field

from credit_assets.settings.columns import Strict

Days = Annotated[int, Field(ge=1, le=3_650)]


class Retention(Strict):
    """Limits in days. Without this section nothing is deleted.

    Attributes:
        wave_days: how long runs of waves and of prices are kept, with their events, plans, chunks and reports.
        left_days: how long scores and prices of locations and segments stay that have left their table.
        block_days: how long blocks of a training stay after its last attempt has ended.
        artifact_days: how long the artifacts of a refresh stay that was never promoted.
    """

    wave_days: Days = 30
    left_days: Days = 90
    block_days: Days = 1
    artifact_days: Days = 90
