"""Retention that takes one event too many turns a red location green, or makes a retry score everything again."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pytest

from resources.history.partitions import PartitionRecord, make_entry, make_materialization_event, make_planned_event
from resources.instance.event_retention.connecting import OtherStorage
from resources.instance.event_retention.partition_events import (
    count_events,
    delete_events,
    select_done,
    select_left,
    select_superseded,
)
from resources.instance.event_retention.size import measure_event_log
from tests.support.jobs import wave

DAY, LIMIT = 86_400.0, 7
NAMES = [f"place {number}" for number in range(10)]


@dataclass
class Places:
    """An asset of ten partitions whose days lie ahead of the clock, so that its runs ended long before."""

    instance: dg.DagsterInstance
    asset: dg.AssetKey
    began: float

    @property
    def definition(self) -> dg.DynamicPartitionsDefinition:
        return dg.DynamicPartitionsDefinition(name=self.asset.to_user_string())

    def run(self, day: float, names: Sequence[str] = NAMES, failing: Sequence[str] = (), *, ends: bool = True) -> str:
        """A run that plans partitions, makes those that do not fail, and ends."""
        run = self.instance.create_run_for_job(wave, status=dg.DagsterRunStatus.STARTED)
        made = [PartitionRecord(name, f"digest of {name} on day {day}") for name in names if name not in failing]
        events = [make_planned_event("wave", "work", self.asset, name) for name in names]
        events += [make_materialization_event("wave", "work", self.asset, each) for each in made]
        entries = [make_entry(each, run.run_id, self.began + day * DAY) for each in events]
        self.instance.event_log_storage.store_event_batch(entries)
        if ends and failing:
            self.instance.report_run_failed(run)
        elif ends:
            success = dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, "wave")
            self.instance.report_dagster_event(success, run.run_id)
        return run.run_id

    def show(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Status, newest materialization, and tags with the data version, of each partition."""
        storage, made = self.instance.event_log_storage, dg.DagsterEventType.ASSET_MATERIALIZATION
        status = self.instance.get_status_by_partition(self.asset, NAMES, self.definition) or {}
        tags = storage.get_latest_tags_by_partition(self.asset, made, ["dagster/data_version"])
        return dict(status), dict(storage.get_latest_storage_id_by_partition(self.asset, made)), dict(tags)

    def retain(self, day: float, rows: int = 7) -> int:
        """Deletes what may go on that day, a few rows a statement."""
        now = self.began + day * DAY
        before = now - LIMIT * DAY
        deleted = delete_events(self.instance, select_done(self.instance, self.asset), rows)
        deleted += delete_events(self.instance, select_superseded(self.instance, self.asset, before, now), rows)
        name = self.asset.to_user_string()
        return deleted + delete_events(self.instance, select_left(self.instance, self.asset, name, before, now), rows)

    def count(self) -> int:
        found = count_events(self.instance, select_done(self.instance, self.asset))
        return found.going + found.staying


@pytest.fixture
def places(instance: dg.DagsterInstance) -> Places:
    asset = dg.AssetKey(f"places_{uuid.uuid4().hex}")
    instance.add_dynamic_partitions(asset.to_user_string(), NAMES)
    return Places(instance, asset, time.time())


def test_events_are_flat_after_the_limit_with_retention_and_grow_without_it(places: Places) -> None:
    with_retention, without = [], places.count()
    for day in range(30):
        for half in (0.0, 0.5):
            places.run(day + half, failing=["place 3"] if day >= 20 else [])
            without += 19 if day >= 20 else 20
        shown = places.show()
        places.retain(day + 0.6)
        assert places.show() == shown
        with_retention.append(places.count())
    assert without == 20 * 40 + 10 * 38
    assert max(with_retention) <= 2 * 10 * (LIMIT + 2)
    newest_planned = 1
    flat = 2 * 10 * LIMIT + newest_planned
    assert with_retention[12] == with_retention[19] == flat, "flat as soon as the limit is reached"
    assert places.show()[0]["place 3"].name == "FAILED"


def test_a_failed_partition_stays_red_and_keeps_its_last_good_version_for_ever(places: Places) -> None:
    places.run(0)
    places.run(1, failing=["place 3"])
    places.run(2, [each for each in NAMES if each != "place 3"])
    before = places.show()
    assert places.retain(400)
    assert places.show() == before
    places.instance.wipe_asset_cached_status([places.asset])
    assert places.show() == before, "also if Dagster computes the status from the events that are left"
    assert before[0]["place 3"].name == "FAILED"
    assert before[2]["place 3"] == {"dagster/data_version": "digest of place 3 on day 0"}
    assert places.retain(400) == 0


def test_a_run_that_has_not_ended_loses_nothing(places: Places) -> None:
    places.run(0, ends=False)
    assert places.retain(400) == 0
    assert places.count() == 20


def test_events_of_a_run_that_may_still_be_retried_stay_although_they_are_old(places: Places) -> None:
    places.run(-30, failing=["place 3"])
    places.run(-20)
    old = select_superseded(places.instance, places.asset, places.began - LIMIT * DAY, places.began)
    assert count_events(places.instance, old).going == 0, "both runs ended now, whatever their events say"
    assert delete_events(places.instance, old) == 0


def test_a_partition_that_left_goes_after_the_limit_and_one_that_exists_never(places: Places) -> None:
    places.run(0)
    places.instance.delete_dynamic_partition(places.asset.to_user_string(), "place 3")
    places.retain(LIMIT - 1)
    assert "place 3" in places.show()[1]
    places.retain(LIMIT + 1)
    assert sorted(places.show()[1]) == [each for each in NAMES if each != "place 3"]


def test_a_count_says_what_the_deletion_takes_and_takes_nothing_itself(places: Places) -> None:
    places.run(0)
    found = count_events(places.instance, select_done(places.instance, places.asset))
    assert (found.going, found.staying) == (9, 11), "the newest planned event of the asset stays"
    assert found.going_bytes > 0 < found.staying_bytes
    assert places.count() == 20
    assert delete_events(places.instance, select_done(places.instance, places.asset), 3) == 9
    assert places.count() == 11
    assert measure_event_log(places.instance) > found.staying_bytes


def test_an_instance_on_another_storage_is_refused_with_the_name_of_ours(empty_instance: dg.DagsterInstance) -> None:
    with pytest.raises(OtherStorage, match="PooledPostgresStorage"):
        measure_event_log(empty_instance)
