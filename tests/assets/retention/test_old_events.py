"""The dry run must say what is deleted, or nobody dares to switch retention on."""

import time

import dagster as dg

from credit_assets.retention.old_events import find_event_removals
from credit_assets.settings.retention import Retention
from credit_assets.waves.record import ASSET
from resources.history.partitions import PartitionRecord, plan_partitions, read_recorded, record_partitions
from tests.support.jobs import wave


def test_what_is_listed_stays_until_it_is_deleted_and_the_next_list_is_empty(instance: dg.DagsterInstance) -> None:
    run = instance.create_run_for_job(wave, status=dg.DagsterRunStatus.STARTED)
    plan_partitions(instance, run.run_id, "wave", "work", ASSET, ["a", "b"])
    record_partitions(instance, run.run_id, "wave", "work", ASSET, [PartitionRecord("a", "1")])
    instance.report_run_failed(run)
    planned, *others = find_event_removals(instance, Retention(), time.time())
    assert planned.kind == "planned events of location_scores"
    assert (planned.goes.count, planned.stays.count) == (1, 2)
    assert planned.goes.bytes > 0 < planned.stays.bytes
    assert [each.goes.count for each in others] == [0] * 6
    planned.delete()
    planned.delete()
    again = find_event_removals(instance, Retention(), time.time())
    assert [each.goes.count for each in again] == [0] * 7
    assert again[0].stays.count == 2
    assert read_recorded(instance, [run.run_id], ASSET) == {"a"}
