"""One wave, or a repetition, of which some locations fail: `python -m bench.waves.failing_waves JOB FAILED PLANNED`.

It prints as JSON how long the run took, how many partitions it planned, and when each failure became known.
"""

import json
import math
import sys
import time
from collections.abc import Collection, Iterable, Sequence

import dagster as dg

from bench.waves.contenders import import_libraries
from credit_assets.definitions import build_defs
from credit_assets.waves.plans.making import WAVE
from credit_assets.waves.plans.plan import Plan
from credit_assets.waves.record import ASSET, find_failed_locations
from resources.deployment import Deployment
from resources.history.facts import ITEMS_COMMITTED
from resources.history.run_groups import read_events
from resources.store.opening import open_store

PLANNED = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
TABLE, NAME = "failed locations", "location"
Fact = tuple[float, dg.AssetObservation | dg.AssetMaterialization]


def run_job(job: str) -> dict[str, float | str]:
    """Runs a job that scores, and says what became known of each location, and when."""
    deployment = Deployment.from_environment()
    with dg.DagsterInstance.get() as instance:
        resolved = build_defs(deployment).resolve_job_def(job)
        started = time.monotonic()
        result = resolved.execute_in_process(instance=instance, raise_on_error=False)
        took = time.monotonic() - started
        red = find_failed_locations(instance)
        red_after = time.monotonic() - started - took
        planned = instance.get_asset_partitions_for_run(result.run_id, PLANNED).get(ASSET, set())
        facts = list_facts(read_events(instance, result.run_id))
    plan = read_plan(deployment, result.run_id)
    failed = [each for each in plan.locations if each in set(red)]
    return {
        "run": result.run_id,
        "seconds": took,
        "planned": len(planned),
        "failed": len(failed),
        "on_page": len(find_namings(facts).keys() & set(failed)),
        "named_after": compute_slowest_naming(facts, plan.locations, failed) if failed else math.nan,
        "red_after": red_after if failed else math.nan,
    }


def read_plan(deployment: Deployment, run_id: str) -> Plan:
    """The plan of the wave that a run began."""
    store, key = open_store(deployment.require("store")), f"{WAVE}/{run_id}/plan.json"
    return Plan.from_bytes(store.read(key), key)


def list_facts(entries: Iterable[dg.EventLogEntry]) -> list[Fact]:
    """What the asset `wave` shows, and the counts of committed locations, each with its time in Unix seconds."""
    return [
        (entry.timestamp, fact)
        for entry in entries
        if (fact := entry.asset_observation or entry.asset_materialization)
        and (fact.asset_key == dg.AssetKey(WAVE) or ITEMS_COMMITTED in fact.metadata)
    ]


def find_namings(facts: Iterable[Fact]) -> dict[str, float]:
    """When the page of the wave named each location that failed, for the first time."""
    named: dict[str, float] = {}
    for at, fact in facts:
        table = fact.metadata.get(TABLE)
        for record in table.records if isinstance(table, dg.TableMetadataValue) else []:
            named.setdefault(str(record.data[NAME]), at)
    return named


def compute_slowest_naming(facts: Sequence[Fact], locations: Sequence[str], failed: Collection[str]) -> float:
    """The greatest time from the start of a location's chunk until it is named, in seconds.

    A chunk starts when the one before is committed. Nobody records the start of the first, so its commit counts.

    Args:
        facts: of the wave, in their order.
        locations: of the wave, in the order in which chunks take them.
        failed: those that failed. What no page names, the report names when the wave is materialized.
    """
    commits = [
        (at, int(str(fact.metadata[ITEMS_COMMITTED].value))) for at, fact in facts if ITEMS_COMMITTED in fact.metadata
    ]
    (end,) = [at for at, fact in facts if isinstance(fact, dg.AssetMaterialization)]
    named, slowest = find_namings(facts), 0.0
    begin, started = 0, commits[0][0]
    for at, committed in commits:
        chunk = [location for location in locations[begin:committed] if location in failed]
        slowest = max([slowest, *(named.get(location, end) - started for location in chunk)])
        begin, started = committed, at
    return slowest


def main(job: str, failed: str, planned: str) -> dict[str, float | str]:
    """Runs it.

    Raises:
        SystemExit: other locations failed, or were planned, than were expected.
    """
    import_libraries()
    found = run_job(job)
    if (found["failed"], found["planned"]) != (int(failed), int(planned)):
        raise SystemExit(f"{found} instead of {failed} failed and {planned} planned locations")
    return found


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
