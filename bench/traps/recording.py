"""Traps of recording: planned events and materializations one by one, and a connection for each."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.traps.instances import ASSET, STOCK, name_places, open_instance, start_run
from resources.history.partitions import (
    PartitionRecord,
    make_entry,
    make_materialization_event,
    make_planned_event,
    plan_partitions,
    record_partitions,
)

STEP = "work"


def measure_recording(way: str, count: int) -> dict[str, float]:
    """Plans and materializes so many partitions; milliseconds of each, and connections that were opened for all."""
    records = [PartitionRecord(name, "digest", {"rows": 50, "seconds": 0.01}) for name in name_places(count)]
    with open_instance(way) as instance:
        run = start_run(instance)
        with count_opened_connections() as opened:
            started = time.monotonic()
            if way == STOCK:
                for record in records:
                    event = make_planned_event(run.job_name, STEP, ASSET, record.partition)
                    instance.event_log_storage.store_event(make_entry(event, run.run_id, time.time()))
            else:
                names = [record.partition for record in records]
                plan_partitions(instance, run.run_id, run.job_name, STEP, ASSET, names)
            planned = time.monotonic()
            if way == STOCK:
                for record in records:
                    event = make_materialization_event(run.job_name, STEP, ASSET, record)
                    instance.event_log_storage.store_event(make_entry(event, run.run_id, time.time()))
            else:
                record_partitions(instance, run.run_id, run.job_name, STEP, ASSET, records)
            made = time.monotonic()
    return {
        "planned_ms": (planned - started) * 1000 / count,
        "made_ms": (made - planned) * 1000 / count,
        "connections": len(opened),
    }


@contextmanager
def count_opened_connections() -> Iterator[list[int]]:
    """Adds an item for each connection that SQLAlchemy opens in this process."""
    from sqlalchemy import event
    from sqlalchemy.pool import Pool

    opened: list[int] = []

    def note(*_: object) -> None:
        opened.append(1)

    event.listen(Pool, "connect", note)
    try:
        yield opened
    finally:
        event.remove(Pool, "connect", note)
