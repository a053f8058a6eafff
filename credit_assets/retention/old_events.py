"""What retention deletes from Dagster's event log: events of locations and segments that nothing shows any more.

Belongs here: which assets and limits the rules are for. Does not belong here: the rules, and how they delete
(`resources.instance.event_retention`).
"""

from functools import partial

import dagster as dg

from credit_assets.pricing import record as prices
from credit_assets.retention.removal import Amount, Removal
from credit_assets.settings.retention import Retention
from credit_assets.waves import record as scores
from credit_assets.waves.page import RESCORE, SCORE_LOCATIONS
from resources.instance.event_retention.old_runs import delete_runs, find_old_runs, measure_runs
from resources.instance.event_retention.partition_events import (
    PartitionEvents,
    count_events,
    delete_events,
    select_done,
    select_left,
    select_superseded,
)
from resources.instance.event_retention.size import refresh_statistics

DAY = 86_400
# The jobs whose old runs go.
JOBS = (SCORE_LOCATIONS, RESCORE, prices.PRICE_SEGMENTS)
# Assets, and the names of their dynamic partitions.
PARTITIONED = ((scores.ASSET, scores.LOCATIONS), (prices.ASSET, prices.SEGMENTS))


def find_event_removals(instance: dg.DagsterInstance, retention: Retention, now: float) -> list[Removal]:
    """What goes from the event log, and what stays; to be deleted in this order.

    Args:
        instance: where the events are.
        retention: the limits.
        now: Unix seconds.

    Raises:
        OtherStorage: the instance does not use the platform's storage.
    """
    refresh_statistics(instance)
    wave_limit, left_limit = now - retention.wave_days * DAY, now - retention.left_days * DAY
    found = []
    for asset, partitions in PARTITIONED:
        name = asset.to_user_string()
        found += [
            _make_removal(
                instance,
                f"planned events of {name}",
                select_done(instance, asset),
                "their run has not ended or did not make the partition, or they are materializations",
            ),
            _make_removal(
                instance,
                f"superseded events of {name}",
                select_superseded(instance, asset, wave_limit, now),
                f"they are the newest of their partition, less than {retention.wave_days} days old, or of a run that "
                "may still be retried",
            ),
            _make_removal(
                instance,
                f"events of {partitions} that left",
                select_left(instance, asset, partitions, left_limit, now),
                f"their partition exists, or left less than {retention.left_days} days ago, or its run may be retried",
            ),
        ]
    return [*found, _remove_runs(instance, retention, wave_limit, now)]


def _remove_runs(instance: dg.DagsterInstance, retention: Retention, limit: float, now: float) -> Removal:
    runs = find_old_runs(instance, JOBS, limit, now)
    every = sum(instance.get_runs_count(dg.RunsFilter(job_name=job)) for job in JOBS)
    return Removal(
        "runs of waves and prices, with their other events",
        Amount(len(runs), measure_runs(instance, runs)),
        Amount(every - len(runs)),
        f"they have not ended, are less than {retention.wave_days} days old, may still be retried, or something shown "
        "belongs to them",
        # Not the runs that were counted: events that went meanwhile may have been all that was shown of others.
        lambda: delete_runs(instance, find_old_runs(instance, JOBS, limit, now)),
    )


def _make_removal(instance: dg.DagsterInstance, kind: str, chosen: PartitionEvents, why: str) -> Removal:
    found = count_events(instance, chosen)
    goes, stays = Amount(found.going, found.going_bytes), Amount(found.staying, found.staying_bytes)
    return Removal(kind, goes, stays, why, partial(_delete, instance, chosen))


def _delete(instance: dg.DagsterInstance, chosen: PartitionEvents) -> None:
    delete_events(instance, chosen)
