"""Who writes a page may be one of many, without a lease, or gone: none of it may cost others their events."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dagster as dg
import psycopg2
import pytest
from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import DBAPIError, ProgrammingError

from resources.history.partitions import (
    PartitionRecord,
    make_planned_event,
    plan_partitions,
    read_recorded,
    record_partitions,
)
from resources.instance import event_log_storage
from resources.supervision.fence import raise_fence
from resources.supervision.lease import Lease
from resources.supervision.lease_table import LeaseConnection, Leases
from tests.assets.supervision.leases import revoke
from tests.support.instances import open_instance

ASSET, OTHER = dg.AssetKey("places"), dg.AssetKey("other")
PATIENCE = 60


def plan(instance: dg.DagsterInstance, run: str, size: int, asset: dg.AssetKey = ASSET) -> None:
    plan_partitions(instance, run, "wave", "score", asset, [f"{number}" for number in range(size)])


def record(instance: dg.DagsterInstance, run: str, size: int, asset: dg.AssetKey = ASSET) -> None:
    records = [PartitionRecord(f"{number}", "1") for number in range(size)]
    record_partitions(instance, run, "wave", "score", asset, records)


def count_planned(instance: dg.DagsterInstance, run: str) -> int:
    made = instance.get_asset_partitions_for_run(run, dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
    return sum(len(each) for each in made.values())


class Writer(threading.Thread):
    """Writes in a thread of its own, and keeps the error."""

    def __init__(self, write: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self.write, self.error = write, None

    def run(self) -> None:
        try:
            self.write()
        except DBAPIError as error:
            self.error = error


@contextmanager
def held_in_the_middle(writer: Writer) -> Iterator[None]:
    """The writer has written its events, and says nothing more in its transaction until the end of the block."""
    arrived, goes_on = threading.Event(), threading.Event()

    def hold(_connection, _cursor, statement, *_) -> None:
        if threading.current_thread() is writer and statement.startswith("INSERT INTO asset_keys"):
            arrived.set()
            goes_on.wait(PATIENCE)

    event.listen(Engine, "before_cursor_execute", hold)
    try:
        writer.start()
        assert arrived.wait(PATIENCE)
        yield
    finally:
        goes_on.set()
        writer.join(PATIENCE)
        event.remove(Engine, "before_cursor_execute", hold)


def test_an_asset_s_events_become_visible_in_the_order_of_their_ids(ours, monkeypatch) -> None:
    monkeypatch.setattr(event_log_storage, "SILENT_SECONDS", PATIENCE)
    first, second = Writer(lambda: record(ours, "first", 5)), Writer(lambda: record(ours, "second", 5))
    with held_in_the_middle(first):
        second.start()
        record(ours, "beside", 5, OTHER)  # another asset waits for nobody
        second.join(1)
        assert second.is_alive(), "it has greater ids, and they would be visible first"
        assert not read_recorded(ours, ["first", "second"], ASSET)
    second.join(PATIENCE)
    assert first.error is None
    assert second.error is None
    ids = {
        run: [each.storage_id for each in ours.get_records_for_run(run).records]
        for run in ("beside", "first", "second")
    }
    assert max(ids["first"]) < min(ids["second"])
    assert min(ids["first"]) < min(ids["beside"])


def test_a_single_event_of_an_asset_waits_for_its_turn_too(ours, monkeypatch) -> None:
    monkeypatch.setattr(event_log_storage, "SILENT_SECONDS", PATIENCE)
    planned = make_planned_event("wave", "score", ASSET, "0")
    first = Writer(lambda: record(ours, "first", 5))
    single = Writer(lambda: ours.report_dagster_event(planned, "single"))
    with held_in_the_middle(first):
        single.start()
        single.join(1)
        assert single.is_alive()
        assert count_planned(ours, "single") == 0
    single.join(PATIENCE)
    assert count_planned(ours, "single") == 1


def test_a_writer_that_falls_silent_in_the_middle_of_a_page_loses_its_turn_and_writes_the_page_later(
    ours, monkeypatch
) -> None:
    monkeypatch.setattr(event_log_storage, "SILENT_SECONDS", 1)
    silent = Writer(lambda: record(ours, "silent", 5))
    with held_in_the_middle(silent):
        record(ours, "next", 5)
        assert read_recorded(ours, ["silent"], ASSET) == frozenset()
    assert silent.error is None
    ids = {run: [each.storage_id for each in ours.get_records_for_run(run).records] for run in ("next", "silent")}
    assert len(ids["next"]) == len(ids["silent"]) == 5
    assert max(ids["next"]) < min(ids["silent"])


def test_a_page_whose_commit_was_carried_out_although_its_connection_broke_is_there_once(ours, monkeypatch) -> None:
    commit, broken = DefaultDialect.do_commit, []

    def commit_and_break(dialect, connection) -> None:
        commit(dialect, connection)
        if not broken:
            broken.append(connection)
            connection.close()
            raise psycopg2.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(DefaultDialect, "do_commit", commit_and_break)
    record(ours, "a run", 5)
    assert broken
    assert len(ours.get_records_for_run("a run").records) == 5
    record(ours, "a run", 5)  # its times are others: this is no second try
    assert len(ours.get_records_for_run("a run").records) == 10


def test_a_page_whose_connection_breaks_every_time_is_given_up_with_the_reason_and_stores_nothing(ours) -> None:
    def end_session(connection, _cursor, statement, *_) -> None:
        if statement.startswith("INSERT INTO event_logs"):
            tries.append(statement)
            connection.connection.dbapi_connection.close()

    tries: list[str] = []
    event.listen(Engine, "before_cursor_execute", end_session)
    try:
        with pytest.raises(DBAPIError, match="closed"):
            record(ours, "a run", 5)
    finally:
        event.remove(Engine, "before_cursor_execute", end_session)
    assert len(tries) == event_log_storage.TRIES
    assert not ours.get_records_for_run("a run").records


@pytest.fixture
def worker(opened, database_url, tmp_path) -> Iterator[dg.DagsterInstance]:
    """An instance whose connections have the name of a worker's; the worker holds a lease behind the fence."""
    home = tmp_path / "worker"
    home.mkdir()
    with opened():
        raise_fence(LeaseConnection(database_url, "a test"))
    assert Lease(database_url, "run/1", "pod", 30).take()
    with open_instance(home, f"{database_url}&application_name=worker%20pod") as instance:
        yield instance


def test_a_worker_without_a_lease_stores_nothing_of_a_batch_and_does_not_try_again(
    opened, database_url, worker, statements
) -> None:
    plan(worker, "held", 600)
    record(worker, "held", 600)
    leases = Leases(database_url)
    assert revoke(leases, "run/1")
    for write in (plan, record):
        statements.clear()
        with pytest.raises(ProgrammingError, match="worker pod has no lease any more"):
            write(worker, "revoked", 600, OTHER)
        assert sum(each.startswith("INSERT INTO event_logs") for each in statements) == 1
    with opened() as platform:
        assert len(read_recorded(platform, ["held"], ASSET)) == count_planned(platform, "held") == 600
        assert count_planned(platform, "revoked") == 0
        assert read_recorded(platform, ["revoked"], OTHER) == frozenset()
        assert not platform.has_asset_key(OTHER)
        record(platform, "revoked", 1, OTHER)  # everybody else may
        assert platform.has_asset_key(OTHER)


def test_a_lease_is_revoked_although_its_worker_fell_silent_in_the_middle_of_a_page(
    database_url, worker, monkeypatch
) -> None:
    monkeypatch.setattr(event_log_storage, "SILENT_SECONDS", 1)
    plan(worker, "before", 1)
    leases = Leases(database_url)
    silent = Writer(lambda: record(worker, "silent", 5))
    with held_in_the_middle(silent):
        assert revoke(leases, "run/1")
    assert isinstance(silent.error, DBAPIError)
    assert read_recorded(worker, ["silent"], ASSET) == frozenset()
