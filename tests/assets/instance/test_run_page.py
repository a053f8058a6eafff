"""The page of a wave's run that is read event by event takes a minute, and one that lacks a step's times is no page."""

import uuid

import dagster as dg
import pytest

from resources.history.partitions import PartitionRecord, plan_partitions, record_partitions
from resources.instance import run_page
from resources.instance.event_log_storage import EventLogStorage
from resources.instance.run_page import RunPageStorage
from tests.support.sandbox import open_sandbox

NAMES = ["a", "b", "c"]


@dg.asset
def whole() -> None: ...


@pytest.fixture(scope="module")
def own(postgres):
    """An instance whose storage serves a webserver; no other test uses it."""
    with open_sandbox(postgres) as sandbox:
        yield sandbox.instance


@pytest.fixture(scope="module")
def run(own: dg.DagsterInstance) -> str:
    """A run with a step, an asset without partitions, and three partitions, of which one was not made."""
    job = dg.Definitions(assets=[whole], jobs=[dg.define_asset_job("make", "whole")]).resolve_job_def("make")
    run_id = job.execute_in_process(instance=own, run_id=str(uuid.uuid4())).run_id
    asset = dg.AssetKey("places")
    plan_partitions(own, run_id, "make", "whole", asset, NAMES)
    records = [PartitionRecord(name, "digest") for name in NAMES[:2]]
    record_partitions(own, run_id, "make", "whole", asset, records)
    return run_id


def storage_of(instance: dg.DagsterInstance, *, webserver: bool) -> EventLogStorage:
    storage = instance.event_log_storage
    assert isinstance(storage, EventLogStorage)
    storage.is_webserver = webserver
    return storage


def count_types(storage: EventLogStorage, run_id: str) -> dict[str, int]:
    """Events of assets in the log of a run, by type and whether they are of a partition."""
    counts: dict[str, int] = {}
    for record in storage.get_records_for_run(run_id).records:
        event = record.event_log_entry.dagster_event
        if event and event.asset_key:
            name = f"{event.event_type_value} {'partition' if event.partition else 'whole'}"
            counts[name] = counts.get(name, 0) + 1
    return counts


def test_a_log_with_many_events_of_partitions_is_shown_without_them_and_one_with_few_is_whole(
    own, run, monkeypatch
) -> None:
    everything = count_types(storage_of(own, webserver=False), run)
    assert everything == {
        "ASSET_MATERIALIZATION_PLANNED whole": 1,
        "ASSET_MATERIALIZATION whole": 1,
        "ASSET_MATERIALIZATION_PLANNED partition": 3,
        "ASSET_MATERIALIZATION partition": 2,
    }
    assert count_types(storage_of(own, webserver=True), run) == everything
    monkeypatch.setattr(run_page, "MOST_PARTITION_EVENTS", 5)
    assert count_types(storage_of(own, webserver=True), run) == everything
    monkeypatch.setattr(run_page, "MOST_PARTITION_EVENTS", 4)
    assert count_types(storage_of(own, webserver=False), run) == everything
    assert count_types(storage_of(own, webserver=True), run) == {
        name: count for name, count in everything.items() if name.endswith("whole")
    }


def test_whoever_asks_for_planned_events_gets_them_from_the_webserver_too(own, run, monkeypatch) -> None:
    monkeypatch.setattr(run_page, "MOST_PARTITION_EVENTS", 0)
    planned = storage_of(own, webserver=True).get_records_for_run(
        run, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
    )
    assert len(planned.records) == 4


def test_the_parts_of_a_log_go_on_where_the_one_before_ended(own, run, monkeypatch) -> None:
    monkeypatch.setattr(run_page, "MOST_PARTITION_EVENTS", 0)
    storage = storage_of(own, webserver=True)
    whole_log, cursor, more, paged = storage.get_records_for_run(run).records, None, True, []
    while more:
        page = storage.get_records_for_run(run, cursor, limit=2)
        paged += page.records
        cursor, more = page.cursor, page.has_more
    assert len(whole_log) > 10
    assert paged == whole_log
    assert storage.get_records_for_run(run, cursor) == ([], cursor, False)
    every = storage_of(own, webserver=False).get_records_for_run(run).records
    assert [record for record in every if record in whole_log] == whole_log


def test_the_times_of_the_steps_are_those_of_unmodified_dagster(own, run) -> None:
    storage = storage_of(own, webserver=False)
    (ours,) = storage.get_step_stats_for_run(run)
    (theirs,) = super(RunPageStorage, storage).get_step_stats_for_run(run)
    assert (ours.step_key, ours.status, ours.start_time, ours.end_time, ours.attempts, ours.markers) == (
        theirs.step_key, theirs.status, theirs.start_time, theirs.end_time, theirs.attempts, theirs.markers,
    )  # fmt: skip
    assert len(theirs.materialization_events) == 3
    assert storage.get_step_stats_for_run(run, ["whole"]) == [ours]
    assert storage.get_step_stats_for_run(run, ["another"]) == []
