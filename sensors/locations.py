"""The sensor that keeps the partitions of `location_scores` the same as the locations in the database.

Belongs here: which partitions are added and deleted. Does not belong here: scores of a location that has left.
"""

from collections.abc import Collection

import dagster as dg

from credit_assets.applications.tables import LocationsError, read_locations
from credit_assets.settings.file import SettingsError, SettingsFile
from credit_assets.waves.record import LOCATIONS, PARTITIONS
from resources.services.database import Database, DatabaseError

# How long a statement waits for a locked table. Together with 10 s to connect, it is half the time of a tick.
STATEMENT_TIMEOUT = "20s"


def compare(existing: Collection[str], partitions: Collection[str]) -> dg.SensorResult | dg.SkipReason:
    """What has to be added and deleted, so that the partitions are the locations; a skip if they are the same.

    Args:
        existing: the locations that the table has.
        partitions: the partitions that Dagster has.
    """
    added, left = sorted(set(existing) - set(partitions)), sorted(set(partitions) - set(existing))
    if not added and not left:
        return dg.SkipReason(f"the {len(partitions):,} partitions are the locations of the table")
    if not existing:
        return dg.SkipReason(f"the table has no location: its {len(partitions):,} partitions stay until it has one")
    requests = [PARTITIONS.build_add_request(added)] if added else []
    return dg.SensorResult(
        dynamic_partitions_requests=[*requests, *([PARTITIONS.build_delete_request(left)] if left else [])]
    )


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Adds a partition for each new location in the database, and deletes those of locations that left.",
)
def locations(
    context: dg.SensorEvaluationContext, settings: SettingsFile, database: Database
) -> dg.SensorResult | dg.SkipReason:
    """Reads the locations and compares. If the sensor can't read them, it skips and says why."""
    try:
        declared = settings.load()
        scoring = declared.require_scoring()
        with database.with_row_policy(declared.table.row_policy).open_snapshot() as cursor:
            cursor.execute("SET LOCAL statement_timeout = %s", (STATEMENT_TIMEOUT,))
            existing = read_locations(cursor, scoring)
    except (SettingsError, DatabaseError, LocationsError) as error:
        return dg.SkipReason(f"the locations are not known: {error}")
    return compare(existing, context.instance.get_dynamic_partitions(LOCATIONS))
