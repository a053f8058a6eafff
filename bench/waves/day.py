"""A day of waves and prices, one run after the other: `python -m bench.waves.day WAVES PRICINGS`.

It prints as JSON by how many bytes Dagster's event log has grown, before retention and after it.
`python -m bench --only waves.day` reads that.
"""

import json
import os
import sys
import time

import dagster as dg

from bench.waves.contenders import import_libraries
from credit_assets.definitions import build_defs
from credit_assets.jobs import PRICE_SEGMENTS, SCORE_LOCATIONS
from credit_assets.retention.old_events import find_event_removals
from credit_assets.settings.retention import Retention
from resources.deployment import Deployment

# With the tags by which Dagster finds the versions of a materialization.
SIZE = "SELECT pg_total_relation_size('event_logs') + pg_total_relation_size('asset_event_tags')"
LIVE = "VACUUM FULL event_logs, asset_event_tags"


def run_day(waves: int, pricings: int) -> dict[str, float]:
    """Runs a wave and a pricing run that make tables and partitions, then so many that are counted."""
    import psycopg2

    connection = psycopg2.connect(os.environ["PLATFORM_HISTORY_URL"])
    connection.autocommit = True

    def measure() -> int:
        with connection.cursor() as cursor:
            cursor.execute(LIVE)
            cursor.execute(SIZE)
            return (cursor.fetchone() or (0,))[0]

    definitions = build_defs(Deployment.from_environment())
    with dg.DagsterInstance.get() as instance:

        def repeat(job: str, times: int) -> None:
            for _ in range(times):
                definitions.resolve_job_def(job).execute_in_process(instance=instance)

        def retain() -> None:
            for each in find_event_removals(instance, Retention(), time.time()):
                each.delete()

        repeat(SCORE_LOCATIONS, 1)
        repeat(PRICE_SEGMENTS, 1)
        retain()
        before = measure()
        repeat(SCORE_LOCATIONS, waves)
        after_waves = measure()
        repeat(PRICE_SEGMENTS, pricings)
        after = measure()
        retain()
        return {"waves": after_waves - before, "pricings": after - after_waves, "kept": measure() - before}


if __name__ == "__main__":
    import_libraries()
    print(json.dumps(run_day(*map(int, sys.argv[1:]))))
