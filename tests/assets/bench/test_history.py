"""Pages that are timed on a history which Dagster reads as something else than waves say nothing about waves."""

import uuid
from itertools import pairwise

import dagster as dg
import psycopg2
import pytest

from bench.pages.history import repeat_wave
from resources.history.partitions import PartitionRecord, plan_partitions, record_partitions
from tests.support.jobs import wave
from tests.support.sandbox import open_sandbox

ASSET = dg.AssetKey("places")
DEFINITION = dg.DynamicPartitionsDefinition(name="places")


@pytest.fixture
def own(postgres):
    """An instance of this test's own, whose tables it changes."""
    with open_sandbox(postgres) as sandbox:
        yield sandbox


def test_copies_of_a_wave_are_waves_of_their_own_in_the_order_of_time(own) -> None:
    instance, names = own.instance, ["a", "b", "c"]
    instance.add_dynamic_partitions("places", names)
    run = instance.create_run_for_job(wave, run_id=str(uuid.uuid4()), status=dg.DagsterRunStatus.STARTED)
    plan_partitions(instance, run.run_id, run.job_name, "work", ASSET, names)
    records = [PartitionRecord(name, f"digest of {name}") for name in names[:2]]
    record_partitions(instance, run.run_id, run.job_name, "work", ASSET, records)
    instance.report_run_failed(run)

    url = own.environment["PLATFORM_HISTORY_URL"]
    last = repeat_wave(url, run.run_id, 5)

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
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM asset_event_tags JOIN event_logs ON event_logs.id = event_id")
        assert cursor.fetchone() == (10,)
    connection.close()
