"""Without retention the event log grows for ever; with one that deletes too much, Dagster shows another past."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from credit_assets.retention.old_events import find_event_removals
from credit_assets.settings.retention import Retention
from credit_assets.waves.record import ASSET, LOCATIONS, PARTITIONS
from resources.history import partitions
from resources.history.partitions import PartitionRecord, plan_partitions, record_partitions
from resources.history.run_groups import ENDED
from resources.instance.event_retention.old_runs import OVER
from tests.support.sandbox import Sandbox

NAMES = [f"branch-{number:02}" for number in range(10)]
DAY = 86_400
JOB = "score_locations"


@pytest.fixture
def instance(sandbox: Sandbox) -> dg.DagsterInstance:
    """On a PostgreSQL, without runs, events and partitions."""
    for run in sandbox.instance.get_run_ids():
        sandbox.instance.delete_run(run)
    for name in sandbox.instance.get_dynamic_partitions(LOCATIONS):
        sandbox.instance.delete_dynamic_partition(LOCATIONS, name)
    # Not wipe_assets: it hides events that are older than the wiping, as all are here.
    storage: Any = sandbox.instance.event_log_storage
    with storage.connect() as connection:
        connection.exec_driver_sql("TRUNCATE event_logs, asset_event_tags, asset_keys")
    sandbox.instance.add_dynamic_partitions(LOCATIONS, NAMES)
    return sandbox.instance


@pytest.fixture
def add_wave(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Adds a wave that was so many days ago: it planned all locations, and some of them failed."""

    def add(
        days: float, failed: tuple[str, ...] = (), status: dg.DagsterRunStatus = dg.DagsterRunStatus.SUCCESS
    ) -> str:
        at = time.time() - days * DAY
        run = instance.add_run(dg.DagsterRun(job_name=JOB, status=dg.DagsterRunStatus.STARTED))
        with monkeypatch.context() as past:
            past.setattr(partitions.time, "time", lambda: at)
            where = (instance, run.run_id, JOB, "wave", ASSET)
            plan_partitions(*where, NAMES)
            record_partitions(
                *where, [PartitionRecord(name, f"digest of {name}") for name in NAMES if name not in failed]
            )
        if status is not dg.DagsterRunStatus.STARTED:
            set_end(instance, run.run_id, status, at)
        return run.run_id

    return add


def set_end(instance: dg.DagsterInstance, run: str, status: dg.DagsterRunStatus, at: float) -> None:
    """Ends a run at a time in the past."""
    storage: Any = instance.run_storage
    with storage.connect() as connection:
        connection.exec_driver_sql(
            "UPDATE runs SET status = %(status)s, update_timestamp = %(at)s,"
            " run_body = replace(run_body, 'STARTED', %(status)s) WHERE run_id = %(run)s",
            {"status": status.value, "at": datetime.fromtimestamp(at, UTC).replace(tzinfo=None), "run": run},
        )


def apply(instance: dg.DagsterInstance, now: datetime | None = None, **limits: int) -> None:
    for each in find_event_removals(instance, Retention(**limits), (now or datetime.now(UTC)).timestamp()):
        each.delete()


def count_events(instance: dg.DagsterInstance) -> int:
    storage: Any = instance.event_log_storage
    counted = "SELECT count(*) FROM event_logs WHERE asset_key = %(asset)s AND partition IS NOT NULL"
    with storage.connect() as connection:
        return connection.exec_driver_sql(counted, {"asset": ASSET.to_string()}).scalar_one()


def read_states(instance: dg.DagsterInstance) -> dict[str, Any]:
    """What Dagster shows of each location: its state, and the digest of its newest scores."""
    states = instance.get_status_by_partition(ASSET, NAMES, PARTITIONS) or {}
    newest = {
        name: instance.get_latest_materialization_event(ASSET)
        and instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=ASSET, asset_partitions=[name]), limit=1
        ).records
        for name in NAMES
    }
    return {name: (states.get(name), [each.storage_id for each in newest[name] or []]) for name in NAMES}


def test_the_event_log_of_thirty_days_of_waves_is_flat_with_retention_and_grows_without(
    instance: dg.DagsterInstance, add_wave: Callable[..., str]
) -> None:
    counts, limit = [], 5
    for day in range(30, 0, -1):
        for hour in (0, 0.5):
            add_wave(day - hour)
        apply(instance, datetime.now(UTC) - timedelta(days=day - 0.6), wave_days=limit)
        counts.append(count_events(instance))
    settled = counts[limit + 1 :]
    assert len(set(settled)) == 1, settled
    assert settled[0] <= (limit + 1) * 2 * len(NAMES)
    assert len(instance.get_runs()) <= (limit + 1) * 2
    for day in (0.4, 0.3, 0.2):
        add_wave(day)
    assert count_events(instance) == settled[0] + 3 * 2 * len(NAMES), "without retention each wave adds its events"


def test_what_dagster_shows_of_each_location_is_the_same_before_and_after(
    instance: dg.DagsterInstance, add_wave: Callable[..., str]
) -> None:
    add_wave(50, failed=(NAMES[3],), status=dg.DagsterRunStatus.FAILURE)
    add_wave(45)
    add_wave(40, failed=(NAMES[0], NAMES[1]), status=dg.DagsterRunStatus.FAILURE)
    before, size = read_states(instance), count_events(instance)
    assert {name for name, (state, _) in before.items() if state and state.name == "FAILED"} == {NAMES[0], NAMES[1]}
    apply(instance, wave_days=1, left_days=1)
    assert read_states(instance) == before
    assert count_events(instance) < size
    apply(instance, wave_days=1, left_days=1)
    assert read_states(instance) == before


def test_a_wave_under_way_loses_no_event_although_it_began_long_ago(
    instance: dg.DagsterInstance, add_wave: Callable[..., str]
) -> None:
    under_way = add_wave(60, failed=tuple(NAMES[5:]), status=dg.DagsterRunStatus.STARTED)
    size = count_events(instance)
    apply(instance, wave_days=1)
    assert count_events(instance) == size
    assert instance.get_run_by_id(under_way)
    add_wave(50)
    apply(instance, wave_days=1)
    assert instance.get_run_by_id(under_way), "a run that has not ended is deleted"
    assert count_events(instance) == size + len(NAMES), "only planned events of the wave that ended may go"


def test_a_location_that_left_is_forgotten_after_its_limit_and_not_before(
    instance: dg.DagsterInstance, add_wave: Callable[..., str]
) -> None:
    add_wave(20)
    instance.delete_dynamic_partition(LOCATIONS, NAMES[0])
    apply(instance, left_days=21)
    left = dg.AssetRecordsFilter(asset_key=ASSET, asset_partitions=[NAMES[0]])
    assert instance.fetch_materializations(left, limit=5).records
    apply(instance, left_days=19)
    assert not instance.fetch_materializations(left, limit=5).records
    other = dg.AssetRecordsFilter(asset_key=ASSET, asset_partitions=[NAMES[1]])
    assert instance.fetch_materializations(other, limit=5).records


def test_a_run_whose_retry_has_not_ended_is_kept(instance: dg.DagsterInstance, add_wave: Callable[..., str]) -> None:
    lost = add_wave(60, failed=tuple(NAMES[5:]), status=dg.DagsterRunStatus.FAILURE)
    retry = instance.add_run(
        dg.DagsterRun(
            job_name=JOB,
            status=dg.DagsterRunStatus.STARTED,
            root_run_id=lost,
            parent_run_id=lost,
            tags={"dagster/root_run_id": lost, "dagster/parent_run_id": lost},
        )
    )
    add_wave(50)
    apply(instance, wave_days=1)
    assert instance.get_run_by_id(lost)
    set_end(instance, retry.run_id, dg.DagsterRunStatus.SUCCESS, time.time() - 40 * DAY)
    apply(instance, wave_days=1)
    assert not instance.get_run_by_id(lost)


def test_a_dry_run_counts_what_would_go_and_deletes_nothing(
    instance: dg.DagsterInstance, add_wave: Callable[..., str]
) -> None:
    add_wave(50)
    add_wave(45)
    size = count_events(instance)
    removals = find_event_removals(instance, Retention(), time.time())
    assert sum(each.goes.count for each in removals) > 0
    assert all(each.goes.bytes > 0 for each in removals if each.goes.count)
    assert count_events(instance) == size


def test_a_location_that_failed_and_recovered_does_not_show_its_failed_run_as_the_newest(
    instance: dg.DagsterInstance, add_wave: Callable[..., str]
) -> None:
    """The page of a partition shows the run of the newest planned event, and a banner if that run failed."""
    add_wave(3, failed=(NAMES[0],), status=dg.DagsterRunStatus.FAILURE)
    recovered = add_wave(2, status=dg.DagsterRunStatus.SUCCESS)
    apply(instance)
    for name in NAMES[:2]:
        shown = instance.event_log_storage.get_latest_planned_materialization_info(ASSET, name)
        assert shown is None or shown.run_id == recovered, name
    whole = instance.event_log_storage.get_latest_planned_materialization_info(ASSET)
    assert whole is None or whole.run_id == recovered


def test_events_of_old_runs_are_compared_with_their_own_partition_and_not_with_all(
    instance: dg.DagsterInstance,
) -> None:
    """Rows that are read and dropped grow with the square of the locations: hours for 20,000."""
    values = {"jobs": [JOB], "ended": [status.value for status in ENDED], "before": "2030-01-01", "in_use": []}
    storage: Any = instance.event_log_storage
    with storage.connect() as connection:
        connection.exec_driver_sql(
            "INSERT INTO event_logs (run_id, event, dagster_event_type, timestamp, asset_key, partition) "
            "SELECT 'run ' || run, '', 'ASSET_MATERIALIZATION', now(), %(asset)s, 'place ' || place "
            "FROM generate_series(1, 10) AS run, generate_series(1, 500) AS place ORDER BY run, place",
            {"asset": ASSET.to_string()},
        )
        # As many old runs as a month has. With a few, PostgreSQL may compare each of them with each event.
        connection.exec_driver_sql(
            "INSERT INTO runs (run_id, pipeline_name, status, run_body, update_timestamp) "
            "SELECT 'run ' || run, %(job)s, 'SUCCESS', '{}', '2026-01-01' FROM generate_series(1, 2000) AS run",
            {"job": JOB},
        )
        connection.exec_driver_sql("ANALYZE event_logs, runs")
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {OVER}", values).scalars())
        connection.exec_driver_sql("DELETE FROM runs")
    assert "(partition = kept.partition)" in plan, plan
    assert "Join Filter" not in plan, plan


def test_a_search_counts_the_events_first_so_that_it_does_not_follow_the_statistics_of_a_small_log(
    instance: dg.DagsterInstance, add_wave: Callable[..., str]
) -> None:
    """With those of before the first wave of 2,000 locations, a search took five minutes instead of a second."""
    storage: Any = instance.event_log_storage

    def read_estimate() -> int:
        with storage.connect() as connection:
            estimate = "SELECT reltuples::bigint FROM pg_class WHERE oid = 'event_logs'::regclass"
            return connection.exec_driver_sql(estimate).scalar_one()

    add_wave(days=2)
    with storage.connect() as connection:
        connection.exec_driver_sql("ANALYZE event_logs")
    few = read_estimate()
    for _ in range(3):
        add_wave(days=1)
    assert read_estimate() == few
    find_event_removals(instance, Retention(), time.time())
    assert read_estimate() == few + 3 * 2 * len(NAMES)


def test_only_the_run_that_made_the_newest_page_of_a_wave_stays(
    instance: dg.DagsterInstance, add_wave: Callable[..., str]
) -> None:
    older, newest = (add_wave(days, status=dg.DagsterRunStatus.SUCCESS) for days in (60, 50))
    latest = add_wave(1, status=dg.DagsterRunStatus.SUCCESS)
    storage: Any = instance.event_log_storage
    with storage.connect() as connection:
        for run in (older, newest):
            connection.exec_driver_sql(
                "INSERT INTO event_logs (run_id, event, dagster_event_type, timestamp, asset_key) "
                "VALUES (%(run)s, '', 'ASSET_MATERIALIZATION', now(), '[\"page of a wave\"]')",
                {"run": run},
            )
    apply(instance)
    assert {run.run_id for run in instance.get_runs()} == {newest, latest}
