"""The ticks of waves and locations, as Dagster evaluates them.

Without this test two waves could run at once, or the partitions could be those of another table.
"""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg2
import pytest

from credit_assets.applications.seed import fill_applications
from credit_assets.jobs import SCORE_LOCATIONS
from credit_assets.settings.file import SettingsFile, load_settings
from credit_assets.waves.page import RESCORE
from credit_assets.waves.record import LOCATIONS
from credit_assets.waves.runs.exclusion import TAG
from resources.deployment import Deployment
from resources.services.database import Database
from sensors.locations import locations
from sensors.schedules.wave_schedule import wave_schedule
from tests.support.settings import settings_text, write_loans_settings

DUE = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> SettingsFile:
    return SettingsFile(path=str(write_loans_settings(tmp_path / "loans.toml", rows=0, locations=4)))


@pytest.fixture
def deployment() -> Deployment:
    return Deployment(scores_url="postgresql://unused")


def tick(instance: dg.DagsterInstance, settings: SettingsFile, deployment: Deployment) -> Any:
    resources = {"settings": settings, "deployment": deployment}
    # Closed at once: an instance that a context has opened stays the one of the whole process until then.
    with dg.build_schedule_context(instance=instance, scheduled_execution_time=DUE, resources=resources) as context:
        return wave_schedule.evaluate_tick(context)


def test_a_tick_requests_one_wave(instance: dg.DagsterInstance, settings: SettingsFile, deployment: Deployment) -> None:
    assert [each.run_key for each in tick(instance, settings, deployment).run_requests] == ["wave-2026-03-01T09:00"]


@pytest.mark.parametrize("job", [SCORE_LOCATIONS, RESCORE])
@pytest.mark.parametrize("status", [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
def test_a_tick_is_skipped_while_a_wave_waits_or_works_and_names_it(
    instance: dg.DagsterInstance,
    settings: SettingsFile,
    deployment: Deployment,
    job: str,
    status: dg.DagsterRunStatus,
) -> None:
    under_way = instance.add_run(dg.DagsterRun(job_name=job, status=status))
    skipped = tick(instance, settings, deployment)
    assert not skipped.run_requests
    assert under_way.run_id in skipped.skip_message
    instance.report_run_failed(under_way)
    assert tick(instance, settings, deployment).run_requests


def test_a_tick_is_skipped_while_a_wave_works_that_was_started_from_the_page_of_the_asset(
    instance: dg.DagsterInstance, settings: SettingsFile, deployment: Deployment
) -> None:
    by_hand = instance.add_run(
        dg.DagsterRun(job_name="__ASSET_JOB", tags={TAG: "loans"}, status=dg.DagsterRunStatus.STARTED)
    )
    skipped = tick(instance, settings, deployment)
    assert by_hand.run_id in skipped.skip_message
    instance.report_run_failed(by_hand)
    assert tick(instance, settings, deployment).run_requests


def test_another_job_under_way_keeps_no_wave_from_running(
    instance: dg.DagsterInstance, settings: SettingsFile, deployment: Deployment
) -> None:
    other = instance.add_run(dg.DagsterRun(job_name="refresh", status=dg.DagsterRunStatus.STARTED))
    assert tick(instance, settings, deployment).run_requests
    instance.report_run_failed(other)


def test_without_tables_to_score_or_a_database_for_scores_a_tick_says_so(
    instance: dg.DagsterInstance, settings: SettingsFile, deployment: Deployment, tmp_path: Path
) -> None:
    assert "PLATFORM_SCORES_URL" in tick(instance, settings, Deployment()).skip_message
    other = tmp_path / "other.toml"
    other.write_text(settings_text(features="income = { type = 'number' }"))
    assert "no section [scoring]" in tick(instance, SettingsFile(path=str(other)), deployment).skip_message


def test_the_partitions_follow_the_table_of_locations(
    instance: dg.DagsterInstance, settings: SettingsFile, database_url: str
) -> None:
    def look() -> Any:
        resources = {"settings": settings, "database": Database(url=database_url)}
        with dg.build_sensor_context(instance=instance, resources=resources) as context:
            return locations.evaluate_tick(context)

    def execute(statement: str) -> None:
        with closing(psycopg2.connect(database_url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement)

    assert "the locations are not known: table locations is not in the database" in look().skip_message
    with closing(psycopg2.connect(database_url)) as connection, connection:
        fill_applications(connection.cursor(), load_settings(settings.path))
    for left in instance.get_dynamic_partitions(LOCATIONS):
        instance.delete_dynamic_partition(LOCATIONS, left)
    instance.add_dynamic_partitions(LOCATIONS, ["branch-0001", "closed"])
    added, deleted = look().dynamic_partitions_requests
    assert list(added.partition_keys) == ["branch-0002", "branch-0003", "branch-0004"]
    assert list(deleted.partition_keys) == ["closed"]
    execute("DELETE FROM locations")
    assert "its 2 partitions stay" in look().skip_message
