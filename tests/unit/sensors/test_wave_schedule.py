"""Two waves at once would read every application twice, and a wave that is skipped must say why."""

from datetime import UTC, datetime, timedelta, timezone

import dagster as dg

from sensors.wave_schedule import request_wave, wave_schedule

DUE = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def test_a_tick_requests_one_wave_whoever_evaluates_it() -> None:
    request = request_wave(DUE, None)
    assert isinstance(request, dg.RunRequest)
    assert request.run_key == "wave-2026-03-01T09:00"
    elsewhere = request_wave(DUE.astimezone(timezone(timedelta(hours=5))), None)
    assert isinstance(elsewhere, dg.RunRequest)
    assert elsewhere.run_key == request.run_key


def test_a_wave_that_is_due_while_another_is_under_way_is_skipped_and_says_which() -> None:
    skipped = request_wave(DUE, "a-run")
    assert isinstance(skipped, dg.SkipReason)
    assert "the wave of run a-run is still under way" in str(skipped.skip_message)


def test_a_wave_is_due_every_three_hours() -> None:
    assert wave_schedule.cron_schedule == "0 */3 * * *"
    assert wave_schedule.execution_timezone == "UTC"
