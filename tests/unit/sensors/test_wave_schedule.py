"""Two waves at once would read every application twice, and a wave that is skipped must say why."""

from datetime import UTC, datetime, timedelta, timezone

import dagster as dg

from credit_assets.waves.plans.choice import WaveConfig
from credit_assets.waves.runs.attempts import WAVE_ID
from sensors.schedules.wave_schedule import request_wave, wave_schedule

DUE = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def request_runs(due: datetime, shards: int) -> list[dg.RunRequest]:
    requests = request_wave(due, None, shards)
    assert isinstance(requests, list)
    return requests


def test_a_tick_requests_one_wave_whoever_evaluates_it() -> None:
    (request,) = request_runs(DUE, 1)
    assert request.run_key == "wave-2026-03-01T09:00"
    assert (request.tags, request.run_config) == ({}, {})
    (elsewhere,) = request_runs(DUE.astimezone(timezone(timedelta(hours=5))), 1)
    assert elsewhere.run_key == request.run_key


def test_the_shards_of_a_wave_are_runs_that_share_its_id_and_each_has_a_number_of_its_own() -> None:
    requests = request_runs(DUE, 3)
    assert {each.tags[WAVE_ID] for each in requests} == {"wave-2026-03-01T09:00"}
    assert len({each.run_key for each in requests}) == 3
    configs = [WaveConfig(**each.run_config["ops"]["wave"]["config"]) for each in requests]
    assert [(each.shard, each.shards) for each in configs] == [(1, 3), (2, 3), (3, 3)]
    assert len({str(each.describe_wave()) for each in configs}) == 1, "shards would refuse the plan of another"


def test_a_wave_that_is_due_while_another_is_under_way_is_skipped_and_says_which() -> None:
    skipped = request_wave(DUE, "a-run")
    assert isinstance(skipped, dg.SkipReason)
    assert "the wave of run a-run is still under way" in str(skipped.skip_message)


def test_a_wave_is_due_every_three_hours() -> None:
    assert wave_schedule.cron_schedule == "0 */3 * * *"
    assert wave_schedule.execution_timezone == "UTC"
