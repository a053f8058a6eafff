"""Traps of dead workers: the events that a process had in memory, and the places in a pool that it held."""

import os
import time
from collections.abc import Callable
from typing import Any

import dagster as dg

from bench.traps.instances import ASSET, make_ranged_job, name_ends, name_places, open_instance, start_run
from credit_assets.definitions import build_defs
from credit_assets.jobs import SCORE_LOCATIONS
from credit_assets.waves.record import LocationLog
from resources.deployment import Deployment
from resources.history.facts import announcements
from resources.history.run_groups import read_events

POOL, KILLED = "services", 9
MADE = dg.DagsterEventType.ASSET_MATERIALIZATION


def die_in_stock(count: int) -> None:
    """A ranged run of stock Dagster whose process dies when the last of its materializations is handed over."""
    os.environ["DAGSTER_EVENT_BATCH_SIZE"] = str(10 * count)
    places, handed_over = name_places(count), []

    def score() -> None: ...

    job = make_ranged_job(score, output_required=True)
    with open_instance("stock") as instance:
        instance.add_dynamic_partitions("places", places)
        handle = instance.handle_new_event

        def handle_or_die(event: dg.EventLogEntry, **more: Any) -> None:
            if event.dagster_event and event.dagster_event.event_type is MADE:
                handed_over.append(event)
                if len(handed_over) == count:
                    os._exit(KILLED)
            handle(event, **more)

        setattr(instance, "handle_new_event", handle_or_die)  # noqa: B010 of another signature
        job.execute_in_process(instance=instance, tags=name_ends(places))


def count_lost_in_stock(count: int) -> dict[str, float]:
    """How many partitions of that run have to be made again, because nothing is recorded of them."""
    with open_instance("stock") as instance:
        (run,) = instance.get_runs()
        recorded = instance.get_asset_partitions_for_run(run.run_id, MADE).get(ASSET, set())
    return {"made_again": count - len(recorded)}


def die_in_wave() -> None:
    """A wave of ours whose process dies before it records its last chunk, which is committed already."""
    record, job = LocationLog.record, build_defs(Deployment.from_environment()).resolve_job_def(SCORE_LOCATIONS)

    def record_or_die(log: LocationLog, scored: Any, chunk: Any, plan: Any) -> None:
        if chunk.facts["outcomes"][-1]["location"] == plan.locations[-1]:
            os._exit(KILLED)
        record(log, scored, chunk, plan)

    setattr(LocationLog, "record", record_or_die)  # noqa: B010 for this process only, which dies
    with dg.DagsterInstance.get() as instance:
        job.execute_in_process(instance=instance)


def count_lost_in_wave() -> dict[str, float]:
    """Retries that wave, and counts the locations of the chunks that the retry computed again."""
    with dg.DagsterInstance.get() as instance:
        (run, *_) = instance.get_runs(dg.RunsFilter(job_name=SCORE_LOCATIONS), limit=1)
        instance.report_run_failed(run)
        options = dg.ReexecutionOptions(parent_run_id=run.run_id)
        job = dg.build_reconstructable_job(__name__, load_wave.__name__)
        with dg.execute_job(job, instance=instance, reexecution_options=options, raise_on_error=True) as result:
            computed = len(announcements(read_events(instance, result.run_id))) - 1  # the last one is the report's
        made = instance.get_asset_partitions_for_run(result.run_id, MADE).get(dg.AssetKey("location_scores"), set())
    return {"made_again": computed * len(made)}


def load_wave() -> dg.JobDefinition:
    """The job of a wave, as Dagster loads it for a retry."""
    return build_defs(Deployment.from_environment()).resolve_job_def(SCORE_LOCATIONS)


def measure_places(way: str, count: int, patience: float = 5) -> dict[str, float]:
    """So many steps hold a place of a pool, and their run fails. How many places are taken after some seconds?"""
    with open_instance(way) as instance:
        run, storage = start_run(instance), instance.event_log_storage
        storage.set_concurrency_slots(POOL, count)
        for number in range(count):
            storage.claim_concurrency_slot(POOL, run.run_id, f"step {number}")
        instance.report_run_failed(run)
        return {"still_taken": wait_until_free(lambda: storage.get_concurrency_info(POOL).active_slot_count, patience)}


def wait_until_free(count_taken: Callable[[], int], patience: float) -> int:
    """How many are taken when none is any more, or when patience ends."""
    deadline = time.monotonic() + patience
    while (taken := count_taken()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return taken
