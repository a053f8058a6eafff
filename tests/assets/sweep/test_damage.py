"""The invariants of the sweep must notice damage. If they did not, the sweep would prove nothing."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from credit_assets.waves.record import ASSET
from resources.history.partitions import PartitionRecord, plan_partitions, record_partitions
from resources.store.artifacts import ArtifactError
from tests.assets.sweep.conftest import Undisturbed, execute
from tests.assets.sweep.kinds import REFRESH_CASE, WAVE_CASE
from tests.assets.sweep.sweep import Sweep
from tests.assets.sweep.wave_invariants import WaveInvariants

Runs = list[dg.DagsterRun]


def test_the_invariants_of_a_refresh_notice_damage(sweep: Sweep, refresh: Undisturbed) -> None:
    invariants = refresh.invariants
    sweep.run_attempt(REFRESH_CASE, "to be damaged", [], None)
    runs = sweep.runs("to be damaged")
    invariants.hold(runs)
    (model,) = invariants.shared.folder.glob(f"trained_model/{runs[0].run_id}/*/*.joblib")
    good = model.read_bytes()
    model.write_bytes(good[:-1])
    with pytest.raises(ArtifactError, match="truncated"):
        invariants.hold(runs)
    with pytest.raises(AssertionError, match="changed or disappeared"):
        invariants.shared.no_object_changed_or_disappeared()
    model.write_bytes(good)
    with pytest.raises(AssertionError, match="SUCCESS"):
        invariants.shared.history_is_complete([*runs, *runs])
    manifest = model.parent / "manifest.json"
    second = model.parent.with_name("0" * 16)
    second.mkdir()
    (second / manifest.name).write_bytes(manifest.read_bytes())
    with pytest.raises(AssertionError, match="published 2 times"):
        invariants.hold(runs)
    shutil.rmtree(second)


@pytest.fixture
def wave(sweep: Sweep, scored: Undisturbed) -> Runs:
    """The runs of a wave that nothing disturbed, and after which all invariants hold."""
    runs = sweep.runs("to be scored")
    if not runs:
        sweep.run_attempt(WAVE_CASE, "to be scored", [], None)
        runs = sweep.runs("to be scored")
    scored.invariants.hold(runs)
    return runs


@pytest.fixture
def invariants(scored: Undisturbed) -> WaveInvariants:
    assert isinstance(scored.invariants, WaveInvariants)
    return scored.invariants


@pytest.fixture
def change_scores(wave: Runs, scores_url: str) -> Iterator[Callable[[str], Any]]:
    """Changes the table of scores; at the end it is as it was."""
    execute(scores_url, "CREATE TABLE kept AS SELECT * FROM scores")
    yield lambda statement: execute(scores_url, statement)
    execute(scores_url, "TRUNCATE scores; INSERT INTO scores SELECT * FROM kept; DROP TABLE kept")


@pytest.mark.parametrize(
    ("change", "noticed"),
    [
        ("DELETE FROM scores WHERE application = 1", "without a score"),
        ("UPDATE scores SET location = 'elsewhere' WHERE application = 1", "without a score"),
        ("UPDATE scores SET model_number = model_number + 1 WHERE application = 1", "other models"),
        ("UPDATE scores SET wave = 'another' WHERE application = 1", "other models or waves"),
        ("UPDATE scores SET probability = 1 - probability WHERE application = 1", "the table has other scores"),
    ],
)
def test_a_row_that_is_missing_or_wrong_is_noticed(wave, invariants, change_scores, change: str, noticed: str) -> None:
    change_scores(change)
    with pytest.raises(AssertionError, match=noticed):
        invariants.hold(wave)


@pytest.fixture
def another_run(sweep: Sweep, wave: Runs) -> Iterator[Callable[[dg.DagsterRunStatus], dg.DagsterRun]]:
    """Makes a run that is no retry of the wave; at the end it is gone with its events."""
    made: Runs = []

    def make(status: dg.DagsterRunStatus) -> dg.DagsterRun:
        made.append(sweep.instance.add_run(dg.DagsterRun(job_name=WAVE_CASE.job, status=status)))
        return made[-1]

    yield make
    for run in made:
        sweep.instance.delete_run(run.run_id)
    sweep.instance.event_log_storage.wipe_asset_cached_status(ASSET)  # Dagster remembers what it has seen of that run


def test_a_location_that_was_materialized_twice_or_never_is_noticed(sweep, wave, invariants, another_run) -> None:
    run = another_run(dg.DagsterRunStatus.FAILURE)
    record = PartitionRecord("branch-0007", "a digest", {"promotion": 1, "dagster/row_count": 2})
    record_partitions(sweep.instance, run.run_id, run.job_name, WAVE_CASE.last_step, ASSET, [record])
    with pytest.raises(AssertionError, match="branch-0007 was materialized 2 times"):
        invariants.hold([*wave, run])
    plan = invariants.the_plan_has_each_location_once_and_a_promoted_model(wave[0].run_id)
    with pytest.raises(AssertionError, match="branch-0001 was materialized 0 times"):
        invariants.each_location_is_materialized_once([run], plan)


@pytest.mark.parametrize(
    ("status", "shown"),
    [(dg.DagsterRunStatus.FAILURE, "FAILED"), (dg.DagsterRunStatus.STARTED, "IN_PROGRESS")],
)
def test_a_location_that_dagster_shows_as_failed_or_in_progress_is_noticed(
    sweep, wave, invariants, another_run, status: dg.DagsterRunStatus, shown: str
) -> None:
    run = another_run(status)
    plan_partitions(sweep.instance, run.run_id, run.job_name, WAVE_CASE.last_step, ASSET, ["branch-0007"])
    with pytest.raises(AssertionError, match=shown):
        invariants.hold(wave)


def find_chunk(invariants: WaveInvariants, wave: Runs) -> Path:
    """The folder of one chunk."""
    return next(iter(invariants.shared.folder.glob(f"wave/{wave[0].run_id}/*/*.parquet"))).parent


def test_a_chunk_that_is_missing_there_twice_or_damaged_is_noticed(wave, invariants) -> None:
    chunk = find_chunk(invariants, wave)
    (file,) = chunk.glob("*.parquet")
    away = chunk.with_name("away#")
    manifest = chunk / "manifest.json"
    manifest.rename(away)
    with pytest.raises(AssertionError, match="is committed 0 times"):
        invariants.hold(wave)
    away.rename(manifest)
    second = chunk.with_name("0" * 16)
    shutil.copytree(chunk, second)
    with pytest.raises(AssertionError, match="is committed 2 times"):
        invariants.hold(wave)
    shutil.rmtree(second)
    good = file.read_bytes()
    file.write_bytes(good[:-1])
    with pytest.raises(ArtifactError, match="truncated"):
        invariants.hold(wave)
    file.write_bytes(good)
    invariants.hold(wave)


def test_a_plan_that_is_missing_or_changed_is_noticed(wave, invariants) -> None:
    plan = invariants.shared.folder / "wave" / wave[0].run_id / "plan.json"
    good = plan.read_bytes()
    plan.write_bytes(good.replace(b'"model_sha256":"', b'"model_sha256":"0'))
    with pytest.raises(AssertionError, match="not promoted"):
        invariants.hold(wave)
    plan.write_bytes(good.replace(b'"branch-0007"', b'"branch-0008"'))
    with pytest.raises(AssertionError, match="other locations"):
        invariants.hold(wave)
    plan.write_bytes(good)


def test_a_place_in_a_pool_that_is_kept_is_noticed(sweep, wave, invariants, another_run) -> None:
    run = another_run(dg.DagsterRunStatus.FAILURE)
    storage = sweep.instance.event_log_storage
    storage.claim_concurrency_slot("applications", run.run_id, WAVE_CASE.last_step)
    with pytest.raises(AssertionError, match="keeps a slot"):
        invariants.hold(wave)
    storage.free_concurrency_slots_for_run(run.run_id)
    invariants.hold(wave)


def test_a_wave_that_was_retried_twice_is_noticed(wave, invariants) -> None:
    with pytest.raises(AssertionError, match="SUCCESS"):
        invariants.shared.hold([*wave, *wave])
