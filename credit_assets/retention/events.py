"""What retention deletes from Dagster's event log: superseded events of partitions, and old runs of waves and prices.

Belongs here: which assets, partitions and jobs are meant, and what is said. Does not belong here: which rows are
superseded (`resources.instance.growth`).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import dagster as dg

from credit_assets.pricing.record import SEGMENT_PRICES, SEGMENTS
from credit_assets.retention.removal import Amount, Removal
from credit_assets.settings.retention import Retention
from credit_assets.waves.record import LOCATION_SCORES, LOCATIONS
from resources.instance.growth.superseded import EventLog

# Each partitioned asset, and the name of its partitions.
PARTITIONED = {LOCATION_SCORES: LOCATIONS, SEGMENT_PRICES: SEGMENTS}


def find_event_removals(
    instance: dg.DagsterInstance, retention: Retention, jobs: Sequence[str], now: datetime
) -> list[Removal]:
    """What goes from Dagster's event log, and what stays.

    Args:
        instance: whose event log it is.
        retention: the limits.
        jobs: names of the jobs that score and price.
        now: with a time zone.
    """
    log = EventLog(instance)
    old, left_before = now - timedelta(days=retention.wave_days), now - timedelta(days=retention.left_days)

    def find_events(asset: str, partitions: str) -> list[int]:
        key = dg.AssetKey(asset)
        overtaken = {*log.find_fulfilled(key), *log.find_overtaken(key, old)}
        return sorted(overtaken | {*log.find_departed(key, partitions, left_before)})

    removals = []
    for asset, partitions in PARTITIONED.items():
        find = partial(find_events, asset, partitions)
        goes, every = log.measure_events(find()), log.measure_asset(dg.AssetKey(asset))
        removals.append(
            Removal(
                f"events of {asset}",
                Amount(goes.count, goes.bytes),
                Amount(every.count - goes.count, every.bytes - goes.bytes),
                f"they are the newest of their partition, make it red, or are younger than {retention.wave_days} days",
                lambda find=find: log.delete_events(find()),
            )
        )
    runs = log.find_over(jobs, old)
    every_run = sum(instance.get_runs_count(dg.RunsFilter(job_name=job)) for job in jobs)
    removals.append(
        Removal(
            "runs of waves and prices, with their other events",
            Amount(len(runs), log.measure_runs(runs).bytes),
            Amount(every_run - len(runs)),
            f"they have not ended, are younger than {retention.wave_days} days, or have the newest event of something",
            lambda: log.delete_runs(log.find_over(jobs, old)),
        )
    )
    return removals
