"""The trap of ranges: a set of scattered partitions is as many ranges, and a backfill launches a run for each."""

import dagster as dg

from bench.traps.instances import ASSET, OURS, STOCK, name_places, open_instance, start_run
from resources.history.partitions import plan_partitions


def measure_runs(way: str, count: int) -> dict[str, float]:
    """How many runs it takes to make so many partitions again, no two of which are neighbours."""
    places = name_places(2 * count)
    scattered = places[::2]
    if way == STOCK:
        partitions = dg.StaticPartitionsDefinition(places)
        # Dagster's backfill asks the same of an asset whose policy is one run for all its partitions.
        return {"runs": len(partitions.subset_with_partition_keys(scattered).get_partition_key_ranges(partitions))}
    with open_instance(OURS) as instance:
        run = start_run(instance)
        plan_partitions(instance, run.run_id, run.job_name, "work", ASSET, scattered)
        planned = instance.get_asset_partitions_for_run(run.run_id, dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)[
            ASSET
        ]
        if planned != set(scattered):
            raise SystemExit(f"one run planned {len(planned)} of {count} partitions")
        return {"runs": instance.get_runs_count()}
