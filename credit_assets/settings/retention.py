"""The section `retention`: how long what is not needed any more is kept, and how much of the rest is read again.

Belongs here: the limits. Does not belong here: what they apply to (`credit_assets.retention`).
"""

from typing import Annotated

from pydantic import Field

from credit_assets.settings.columns import Strict

Days = Annotated[int, Field(ge=1, le=3_650)]


class Retention(Strict):
    """Limits, most of them in days. Without this section nothing is deleted, and every report reads every set.

    Attributes:
        wave_days: how long runs of waves and of prices are kept, with their events, plans, chunks and reports.
        left_days: how long scores and prices of locations and segments stay that have left their table.
        block_days: how long blocks of a training stay after its last attempt has ended.
        artifact_days: how long the artifacts of a refresh stay that was never promoted.
        audit_sets: how many promoted sets a resilience report reads whole, the longest unread first; one of them is
            always the set in use. Of the others it
            reads the manifests, and it looks whether each file is there with its size.
    """

    wave_days: Days = 30
    left_days: Days = 90
    block_days: Days = 1
    artifact_days: Days = 90
    audit_sets: Annotated[int, Field(ge=2, le=10_000)] = 100
