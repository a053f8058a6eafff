"""All rules of retention, in the order in which they delete.

Belongs here: the list. Does not belong here: a rule.
"""

from datetime import datetime

import dagster as dg

from credit_assets.retention.old_events import find_event_removals
from credit_assets.retention.removal import Removal
from credit_assets.retention.stored.stored_objects import find_stored_removals
from credit_assets.retention.tables import find_table_removals
from credit_assets.settings.file import Settings
from resources.services.database import Database
from resources.store.object_store import ObjectStore


def find_removals(
    instance: dg.DagsterInstance,
    store: ObjectStore,
    database: Database,
    scores_database: Database,
    settings: Settings,
    now: datetime,
) -> list[Removal]:
    """What all rules would delete now; nothing without the section `retention`.

    The store comes first, because its rules ask Dagster how runs have ended, and runs go last.

    Args:
        instance: of Dagster.
        store: of the artifacts.
        database: of the loans and of the locations.
        scores_database: of the scores and prices.
        settings: with the limits.
        now: with a time zone.
    """
    limits = settings.retention
    if limits is None:
        return []
    return [
        *find_stored_removals(store, instance, limits, now.timestamp()),
        *find_table_removals(database, scores_database, settings, now.timestamp()),
        *find_event_removals(instance, limits, now.timestamp()),
    ]
