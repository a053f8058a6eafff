"""The schedule's ticks, as Dagster evaluates them.

Without this test a model could be trained on a day that is no refresh day, or for one that passed weeks ago while the
daemon was down.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import dagster as dg

from sensors.schedules.refresh_schedule import find_next_refresh_day, refresh_schedule


def keys(tick: Any) -> list[str]:
    return [request.run_key for request in tick.run_requests]


def test_ticks_start_a_run_on_a_refresh_day_only_and_never_for_a_day_long_past(
    empty_instance: dg.DagsterInstance,
) -> None:
    def tick(day: date) -> Any:
        due = datetime.combine(day, time(), UTC)
        return refresh_schedule.evaluate_tick(
            dg.build_schedule_context(instance=empty_instance, scheduled_execution_time=due)
        )

    coming = find_next_refresh_day(datetime.now(UTC).date())
    assert keys(tick(coming)) == [f"refresh-{coming}"]
    assert keys(tick(coming + timedelta(days=1))) == []
    late = tick(coming - timedelta(days=20))
    assert keys(late) == []
    assert "not caught up" in late.skip_message
