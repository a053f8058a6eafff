"""Traps of reading: a page of Dagster's UI that asks for every event of a run, or for the state of every partition."""

import time

from bench.traps.instances import ASSET, OURS, STOCK, count_states, name_places, open_instance, start_run
from resources.history.partitions import PartitionRecord, plan_partitions, record_partitions
from resources.history.run_groups import PAGE
from resources.instance.run_page import RunPageStorage

STEP = "work"


def measure_log(way: str, count: int) -> dict[str, float]:
    """Seconds in which a webserver reads the log and the steps of a run over so many partitions."""
    with open_instance(OURS) as instance:
        run_id, storage = make_run(instance, count), instance.event_log_storage
        if not isinstance(storage, RunPageStorage):
            raise SystemExit(f"local/dagster.yaml has another storage: {type(storage).__name__}")
        storage.is_webserver = way == OURS
        started, cursor, more = time.monotonic(), None, True
        while more:
            page = storage.get_records_for_run(run_id, cursor, limit=2 * PAGE)
            cursor, more = page.cursor, page.has_more
        # The storage of stock is what ours inherits from.
        (super(RunPageStorage, storage) if way == STOCK else storage).get_step_stats_for_run(run_id)
        return {"log_s": time.monotonic() - started}


def measure_status(way: str, count: int) -> dict[str, float]:
    """Seconds in which the state of every partition is read: computed from the events, or from Dagster's cache."""
    places = name_places(count)
    with open_instance(OURS) as instance:
        make_run(instance, count)
        instance.add_dynamic_partitions("places", places)
        if way == OURS:
            count_states(instance, places)
        started = time.monotonic()
        count_states(instance, places)
        return {"status_s": time.monotonic() - started}


def make_run(instance, count: int) -> str:
    """A run that has made so many partitions."""
    run, places = start_run(instance), name_places(count)
    plan_partitions(instance, run.run_id, run.job_name, STEP, ASSET, places)
    records = [PartitionRecord(name, "digest", {"rows": 50, "seconds": 0.01}) for name in places]
    record_partitions(instance, run.run_id, run.job_name, STEP, ASSET, records)
    return run.run_id
