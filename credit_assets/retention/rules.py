"""All rules of retention, in the order in which they delete.

Belongs here: the list. Does not belong here: a rule.
"""

from datetime import datetime

import dagster as dg

from credit_assets.retention.events import find_event_removals
from credit_assets.retention.removal import Removal
from credit_assets.settings.file import Settings

# The jobs whose old runs are deleted.
JOBS = ("score_locations", "rescore", "price_segments")


def find_removals(instance: dg.DagsterInstance, settings: Settings, now: datetime) -> list[Removal]:
    """What all rules would delete now; nothing without the section `retention`.

    Args:
        instance: of Dagster.
        settings: with the limits.
        now: with a time zone.
    """
    if settings.retention is None:
        return []
    return find_event_removals(instance, settings.retention, JOBS, now)
