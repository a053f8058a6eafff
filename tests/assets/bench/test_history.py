"""Pages that are timed on a history which Dagster reads as something else than waves say nothing about waves."""

import json
import re
import uuid
from contextlib import closing
from datetime import UTC
from itertools import pairwise

import dagster as dg
import psycopg2
import pytest

from bench.pages.history import repeat_wave
from resources.history.partitions import PartitionRecord, plan_partitions, record_partitions
from tests.support.jobs import wave
from tests.support.sandbox import open_sandbox

INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
CONSTRAINTS = """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
  WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2"""
TABLES = """SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
  WHERE table_schema = 'public' ORDER BY 1, ordinal_position"""
ASSET = dg.AssetKey("places")
DEFINITION = dg.DynamicPartitionsDefinition(name="places")


@pytest.fixture
def own(postgres):
    """An instance of this test's own, whose tables it changes."""
    with open_sandbox(postgres) as sandbox:
        yield sandbox


def run_wave(instance: dg.DagsterInstance, names: list[str]) -> str:
    """A wave that makes all of these partitions but the last, and fails. Returns its run id."""
    instance.add_dynamic_partitions("places", names)
    run = instance.create_run_for_job(wave, run_id=str(uuid.uuid4()), status=dg.DagsterRunStatus.STARTED)
    plan_partitions(instance, run.run_id, run.job_name, "work", ASSET, names)
    records = [PartitionRecord(name, f"digest of {name}") for name in names[:-1]]
    record_partitions(instance, run.run_id, run.job_name, "work", ASSET, records)
    instance.report_run_failed(run)
    return run.run_id


def read(url: str, statement: str) -> list[tuple]:
    """The rows of a statement."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def test_copies_of_a_wave_are_waves_of_their_own_in_the_order_of_time(own) -> None:
    instance, names = own.instance, ["a", "b", "c"]
    url = own.environment["PLATFORM_HISTORY_URL"]
    last = repeat_wave(url, run_wave(instance, names), 5)

    runs = instance.get_run_records(dg.RunsFilter(job_name="wave"))
    assert len(runs) == 5
    assert runs[0].dagster_run.run_id == last
    assert runs[0].dagster_run.status is dg.DagsterRunStatus.FAILURE
    starts = [record.create_timestamp.timestamp() for record in reversed(runs)]
    assert [round(later - earlier) for earlier, later in pairwise(starts)] == [10_800] * 4
    event = instance.get_latest_materialization_event(ASSET)
    assert event is not None
    assert event.run_id == last
    made = instance.fetch_materializations(ASSET, limit=100).records
    assert len(made) == 10
    assert [record.timestamp for record in made] == sorted((record.timestamp for record in made), reverse=True)
    assert len({record.storage_id for record in made}) == 10
    states = instance.get_status_by_partition(ASSET, names, DEFINITION)
    assert states is not None
    assert {name: state.name for name, state in states.items() if state} == {
        "a": "MATERIALIZED",
        "b": "MATERIALIZED",
        "c": "FAILED",
    }
    assert read(url, "SELECT count(*) FROM asset_event_tags JOIN event_logs ON event_logs.id = event_id") == [(10,)]


def test_a_copied_event_differs_from_the_first_in_its_run_and_time_only(own) -> None:
    url = own.environment["PLATFORM_HISTORY_URL"]
    first = run_wave(own.instance, ["a", "b"])
    repeat_wave(url, first, 3)

    events: dict[str, list[str]] = {}
    for run_id, event, at in read(url, "SELECT run_id, event, timestamp FROM event_logs ORDER BY id"):
        assert json.loads(event)["timestamp"] == pytest.approx(at.replace(tzinfo=UTC).timestamp(), abs=1e-3)
        alike = re.sub(r'"timestamp": [0-9.]+', "", event.replace(run_id, first))
        events.setdefault(run_id, []).append(alike)
    assert len(events) == 3
    assert len(events[first]) > 3
    assert all(each == events[first] for each in events.values())


def test_a_history_has_the_same_columns_indexes_and_constraints_as_before(own) -> None:
    url = own.environment["PLATFORM_HISTORY_URL"]
    first = run_wave(own.instance, ["a", "b"])
    before = [read(url, statement) for statement in (INDEXES, CONSTRAINTS, TABLES)]
    repeat_wave(url, first, 3)
    assert all(before)
    assert [read(url, statement) for statement in (INDEXES, CONSTRAINTS, TABLES)] == before
