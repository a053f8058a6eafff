"""A tick that asks for prices twice prices twice, and a run that is skipped must say why."""

from datetime import UTC, datetime, timedelta, timezone

import dagster as dg

from sensors.schedules.price_schedule import price_schedule, request_prices

DUE = datetime(2026, 3, 1, 9, 10, tzinfo=UTC)


def test_a_tick_requests_one_run_whoever_evaluates_it() -> None:
    request = request_prices(DUE, None)
    assert isinstance(request, dg.RunRequest)
    assert request.run_key == "prices-2026-03-01T09:10"
    elsewhere = request_prices(DUE.astimezone(timezone(timedelta(hours=5))), None)
    assert isinstance(elsewhere, dg.RunRequest)
    assert elsewhere.run_key == request.run_key


def test_a_pricing_run_under_way_is_named_and_no_other_one_is_asked_for() -> None:
    skipped = request_prices(DUE, "a-run")
    assert isinstance(skipped, dg.SkipReason)
    assert "the pricing run a-run is still under way" in str(skipped.skip_message)


def test_prices_are_due_every_hour_after_a_wave_of_the_same_hour_began() -> None:
    assert price_schedule.cron_schedule == "10 * * * *"
    assert price_schedule.execution_timezone == "UTC"
