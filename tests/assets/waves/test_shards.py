"""Runs that share a wave score every location once between them, and one of them judges the whole wave."""

from typing import Any

import dagster as dg

from credit_assets.definitions import build_defs
from credit_assets.jobs import SCORE_LOCATIONS
from credit_assets.waves.runs.attempts import WAVE_ID
from credit_assets.waves.runs.exclusion import TAG
from resources.deployment import Deployment
from resources.history.facts import TOLERATED
from tests.assets.waves.conftest import Waves

OF, ID = 3, "wave-2026-03-01T09:00"


def run_shard(waves: Waves, shard: int, wave: str) -> Any:
    return (
        build_defs(Deployment.from_environment())
        .resolve_job_def(SCORE_LOCATIONS)
        .execute_in_process(
            instance=waves.instance,
            run_config={"ops": {"wave": {"config": {"shard": shard, "shards": OF}}}},
            tags={WAVE_ID: wave},
            raise_on_error=False,
        )
    )


def read_page(waves: Waves, run: str) -> dict[str, Any]:
    event = waves.instance.get_latest_materialization_event(dg.AssetKey("wave"))
    assert event
    assert event.run_id == run
    assert event.asset_materialization
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def is_tolerated(result: Any) -> bool:
    (failure,) = [each for each in result.all_events if each.event_type == dg.DagsterEventType.STEP_FAILURE]
    return failure.step_failure_data.user_failure_data.metadata[TOLERATED].value


def test_shards_score_every_location_once_with_one_plan_and_the_last_page_shows_the_whole_wave(waves: Waves) -> None:
    expected = waves.applications()
    counts = []
    for shard in (2, 1, 3):
        result = run_shard(waves, shard, ID)
        assert result.success
        counts.append((len(waves.recorded(result.run_id)), read_page(waves, result.run_id)["waiting"]))
    assert counts == [(4, 8), (4, 4), (4, 0)]
    assert waves.scores() == expected
    assert waves.status() == (set(expected), set(), set())
    assert waves.sandbox.execute("SELECT DISTINCT wave FROM scores") == [(ID,)]


def test_a_failure_in_an_early_shard_is_judged_once_by_the_shard_that_ends_last(waves: Waves, break_location) -> None:
    broken = "branch-0001"
    break_location(broken)
    first = run_shard(waves, 1, f"{ID} b")
    assert not first.success, "Dagster shows a location as failed only if its run has failed"
    assert waves.status()[1] == {broken}
    assert is_tolerated(first), "a shard alarms nobody before the whole wave is known"
    assert run_shard(waves, 2, f"{ID} b").success
    last = run_shard(waves, 3, f"{ID} b")
    assert not last.success
    assert not is_tolerated(last)
    assert "1 of 12 locations failed" in waves.find_reason(last)
    assert read_page(waves, last.run_id)["failed"] == 1


def test_a_retry_of_a_shard_records_nothing_twice_and_scores_no_location_of_another(
    waves: Waves, break_location
) -> None:
    wave, broken = f"{ID} c", "branch-0002"
    break_location(broken)
    second = run_shard(waves, 2, wave)
    assert len(waves.recorded(second.run_id)) == 3
    retry = waves.retry(second.run_id)
    assert not retry.success
    assert waves.recorded(retry.run_id) == []
    assert read_page(waves, retry.run_id)["waiting"] == 8
    assert run_shard(waves, 1, wave).success
    assert not run_shard(waves, 3, wave).success, "the last shard judges the whole wave"
    assert set(waves.scores()) == set(waves.applications()) - {broken}


def test_shards_of_one_wave_may_work_at_once_and_another_wave_may_not(waves: Waves) -> None:
    other = waves.instance.add_run(
        dg.DagsterRun(
            job_name=SCORE_LOCATIONS, tags={TAG: "loans", WAVE_ID: f"{ID} d"}, status=dg.DagsterRunStatus.STARTED
        )
    )
    assert run_shard(waves, 2, f"{ID} d").success
    assert other.run_id in waves.find_reason(run_shard(waves, 2, f"{ID} e"))
    waves.instance.report_run_failed(other)


def test_a_shard_without_the_tag_of_its_wave_is_refused_and_scores_nothing(waves: Waves) -> None:
    refused = waves.run(shard=1, shards=4)
    assert "this run has no tag platform/wave_id" in waves.find_reason(refused)
    assert not waves.sandbox.execute("SELECT to_regclass('scores') IS NOT NULL")[0][0]
