"""A place in a pool that a dead run keeps is one that its own retry waits for, and every other run too."""

import logging
from typing import Any

import dagster as dg
import pytest
from dagster_postgres import PostgresEventLogStorage
from sqlalchemy.exc import OperationalError

from tests.support.instances import POOLED, STOCK

POOL = "loans"


@dg.op(pool=POOL)
def read() -> None:
    raise ValueError("expected in this test")


@dg.job(executor_def=dg.in_process_executor)
def reader() -> None:
    read()


def refuse(*_: Any) -> None:
    raise OperationalError("UPDATE concurrency_slots", {}, Exception("server closed the connection"))


def claim(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    return instance.event_log_storage.claim_concurrency_slot(POOL, run.run_id, "read").is_claimed


def start(instance: dg.DagsterInstance) -> dg.DagsterRun:
    """A run whose step is at work in a place of the pool."""
    run = instance.create_run_for_job(reader, status=dg.DagsterRunStatus.STARTED)
    assert claim(instance, run)
    return run


def holders(instance: dg.DagsterInstance) -> set[str]:
    return {slot.run_id for slot in instance.event_log_storage.get_concurrency_info(POOL).claimed_slots}


ENDS = {
    "failed": lambda instance, run: instance.report_run_failed(run, "its worker is gone"),
    "canceled": lambda instance, run: instance.report_run_canceled(run, "its worker is gone"),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_run_that_ended_gives_its_place_to_the_next_at_once_and_a_running_one_keeps_its_own(opened, end) -> None:
    with opened() as instance:
        instance.event_log_storage.set_concurrency_slots(POOL, 2)
        dead, running = start(instance), start(instance)
        waiting = instance.create_run_for_job(reader)
        assert not claim(instance, waiting), "the pool has a third place, so this test is of no use"
        end(instance, dead)
        assert claim(instance, waiting)
        assert holders(instance) == {running.run_id, waiting.run_id}


def test_no_other_event_of_a_run_takes_its_place_away(opened) -> None:
    with opened() as instance:
        instance.event_log_storage.set_concurrency_slots(POOL, 1)
        run = start(instance)
        instance.report_engine_event("the daemon looked at it", run)
        instance.report_run_canceling(run)
        assert holders(instance) == {run.run_id}, "it still works, and another run would work beside it"


@pytest.mark.parametrize(("storage", "kept"), [(POOLED, 0), (STOCK, 1)], ids=["ours", "Dagster's own"])
def test_a_run_that_failed_by_itself_and_could_not_give_its_place_back_has_none(
    opened, monkeypatch, storage, kept
) -> None:
    """Dagster's own storage keeps the place until the daemon's clean-up. If it does not any more, ours need not."""
    monkeypatch.setattr(PostgresEventLogStorage, "free_concurrency_slot_for_step", refuse)
    with opened(storage) as instance:
        instance.event_log_storage.set_concurrency_slots(POOL, 1)
        assert not reader.execute_in_process(instance=instance, raise_on_error=False).success
        (run,) = instance.get_runs()
        assert run.status is dg.DagsterRunStatus.FAILURE
        assert len(holders(instance)) == kept


def test_a_run_whose_place_can_t_be_freed_has_failed_nevertheless(opened, monkeypatch, caplog) -> None:
    monkeypatch.setattr(PostgresEventLogStorage, "free_concurrency_slots_for_run", refuse)
    with opened() as instance, caplog.at_level(logging.WARNING, "resources.instance.event_log_storage"):
        instance.event_log_storage.set_concurrency_slots(POOL, 1)
        run = start(instance)
        instance.report_run_failed(run, "its worker is gone")
        assert holders(instance) == {run.run_id}
        assert instance.get_runs()[0].status is dg.DagsterRunStatus.FAILURE
        failures = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE).records
        assert len(failures) == 1
    assert f"run {run.run_id} keeps its places in pools for a while: OperationalError" in caplog.text
