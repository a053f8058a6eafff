"""A location that failed and is not red, or is red although it was made, is one that nobody repairs."""

import uuid
from collections import Counter
from typing import Any

import dagster as dg
import pytest

from resources.history.partitions import PartitionRecord, plan_partitions, read_recorded, record_partitions
from tests.support.jobs import wave

ODD_NAMES = [
    "n" * 200,
    "a/b",
    "back\\slash",
    'it\'s "one"',
    "🏝️ Insel, ż",
    " ",
    "None",
    "100%",
    "%(x)s",
    "[a]",
    "a,b",
    "a...b",
]


@pytest.fixture
def asset(instance) -> dg.AssetKey:
    """An asset that no other test knows."""
    return dg.AssetKey(f"places_{uuid.uuid4().hex}")


def start(instance: dg.DagsterInstance) -> dg.DagsterRun:
    return instance.create_run_for_job(wave, status=dg.DagsterRunStatus.STARTED)


def plan(instance: dg.DagsterInstance, run: dg.DagsterRun, asset: dg.AssetKey, names: list[str]) -> None:
    plan_partitions(instance, run.run_id, run.job_name, "work", asset, names)


def record(instance: dg.DagsterInstance, run: dg.DagsterRun, asset: dg.AssetKey, names: list[str]) -> None:
    records = [PartitionRecord(name, f"digest of {name}", {"rows": 50, "name": name}) for name in names]
    record_partitions(instance, run.run_id, run.job_name, "work", asset, records)


def count(instance: dg.DagsterInstance, asset: dg.AssetKey, names: list[str]) -> dict[str, int]:
    """How many partitions Dagster's UI shows in each state."""
    definition = dg.DynamicPartitionsDefinition(name=asset.to_user_string())
    instance.add_dynamic_partitions(asset.to_user_string(), names)
    found = instance.get_status_by_partition(asset, names, definition)
    assert found is not None
    return dict(Counter(each.name if each else "MISSING" for each in found.values()))


def test_what_a_failed_run_did_not_make_is_red_and_a_later_run_makes_only_that(instance, asset) -> None:
    names = [f"place {number}" for number in range(300)]
    failing = names[::10]
    made = [name for name in names if name not in failing]
    run = start(instance)
    plan(instance, run, asset, names)
    assert count(instance, asset, names) == {"IN_PROGRESS": 300}
    record(instance, run, asset, made)
    assert count(instance, asset, names) == {"MATERIALIZED": 270, "IN_PROGRESS": 30}
    instance.report_run_failed(run)
    assert count(instance, asset, names) == {"MATERIALIZED": 270, "FAILED": 30}
    assert count(instance, asset, failing) == {"FAILED": 30}

    later = start(instance)
    plan(instance, later, asset, failing)
    assert count(instance, asset, names) == {"MATERIALIZED": 270, "IN_PROGRESS": 30}
    assert read_recorded(instance, [later.run_id], asset) == frozenset()
    record(instance, later, asset, failing)
    assert count(instance, asset, names) == {"MATERIALIZED": 300}
    instance.report_run_failed(later)
    assert count(instance, asset, names) == {"MATERIALIZED": 300}, "a run that fails afterwards unmakes nothing"
    assert read_recorded(instance, [later.run_id], asset) == set(failing)
    assert read_recorded(instance, [run.run_id, later.run_id], asset) == set(names)


def test_only_what_these_runs_materialized_of_this_asset_counts_as_recorded(instance, asset) -> None:
    run, other = start(instance), start(instance)
    plan(instance, run, asset, ["planned", "a"])
    record(instance, run, asset, ["a"])
    record(instance, run, dg.AssetKey(f"beside_{uuid.uuid4().hex}"), ["b"])
    record(instance, other, asset, ["c"])
    assert read_recorded(instance, [run.run_id], asset) == {"a"}
    assert read_recorded(instance, [run.run_id, other.run_id], asset) == {"a", "c"}
    assert read_recorded(instance, [], asset) == frozenset()
    assert read_recorded(instance, ["no such run"], asset) == frozenset()


def test_a_partition_with_an_odd_name_is_planned_made_and_found_under_this_name(instance, asset) -> None:
    run = start(instance)
    plan(instance, run, asset, ODD_NAMES)
    record(instance, run, asset, ODD_NAMES[1:])
    instance.report_run_failed(run)
    assert count(instance, asset, ODD_NAMES) == {"MATERIALIZED": len(ODD_NAMES) - 1, "FAILED": 1}
    assert count(instance, asset, ODD_NAMES[:1]) == {"FAILED": 1}
    assert read_recorded(instance, [run.run_id], asset) == set(ODD_NAMES[1:])
    for name in ODD_NAMES[1:]:
        only = dg.AssetRecordsFilter(asset, asset_partitions=[name])
        (found,) = instance.fetch_materializations(only, limit=2).records
        assert found.asset_materialization
        assert found.asset_materialization.metadata["name"].value == name


def test_a_record_of_ours_says_what_dagster_says_of_a_partition_that_a_step_returns(empty_instance) -> None:
    definition = dg.StaticPartitionsDefinition(["theirs", "ours"])
    metadata: dict[str, Any] = {"rows": 50, "share": 0.25, "place": dg.MetadataValue.path("/a"), "note": "a\nb"}

    @dg.asset(partitions_def=definition, code_version="3")
    def places() -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion("digest"), tags={"team": "north"})

    run = dg.materialize([places], instance=empty_instance, partition_key="theirs").dagster_run
    ours = PartitionRecord("ours", "digest", metadata, {"team": "north"})
    plan_partitions(empty_instance, run.run_id, run.job_name, "places", places.key, ["ours"])
    record_partitions(empty_instance, run.run_id, run.job_name, "places", places.key, [ours], code_version="3")

    for kind in (dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED, dg.DagsterEventType.ASSET_MATERIALIZATION):
        entries = [
            each.event_log_entry for each in empty_instance.get_records_for_run(run.run_id, of_type=kind).records
        ]
        shown = [
            (each.message, each.level, each.step_key, each.job_name, each.asset_materialization, each.timestamp)
            for each in entries
        ]
        assert [each.get_dagster_event().partition for each in entries] == ["theirs", "ours"]
        theirs, mine = shown
        assert mine[:4] == theirs[:4]
        assert mine[5] >= theirs[5]
        if theirs[4] and mine[4]:
            assert mine[4] == theirs[4]._replace(partition="ours")
            assert mine[4].tags == theirs[4].tags
    assert empty_instance.get_materialized_partitions(places.key) == {"theirs", "ours"}
