"""A schedule that drifts by a day, doubles at a month's end or asks after an outage goes unnoticed: nothing fails."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from sensors.schedules.refresh_schedule import decide, find_next_refresh_day, is_refresh_day, refresh_schedule

TEN_YEARS = [date(2024, 1, 1) + timedelta(days=days) for days in range(3_653)]


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def asked(day: date) -> bool:
    """Whether the tick of a day, evaluated on time, asks for a run."""
    return isinstance(decide(midnight(day), midnight(day) + timedelta(seconds=5)), dg.RunRequest)


def test_ten_years_of_daily_ticks_start_a_run_every_ten_days_and_at_no_other_time() -> None:
    days = [day for day in TEN_YEARS if asked(day)]
    assert days[0] == date(2024, 1, 1)
    assert TEN_YEARS[-1] == date(2033, 12, 31)
    assert len(days) == 366
    assert {later - earlier for earlier, later in pairwise(days)} == {timedelta(days=10)}


def test_each_refresh_of_ten_years_has_a_run_key_of_its_own() -> None:
    decisions = [decide(midnight(day), midnight(day)) for day in TEN_YEARS]
    keys = [decision.run_key for decision in decisions if isinstance(decision, dg.RunRequest)]
    assert len(set(keys)) == len(keys) == 366
    assert keys[0] == "refresh-2024-01-01"


@pytest.mark.parametrize(
    ("day", "refresh"),
    [
        ("2024-02-20", True),
        ("2024-02-29", False),
        ("2024-03-01", True),  # ten days across the leap day
        ("2024-12-26", True),
        ("2025-01-01", False),
        ("2025-01-05", True),  # ten days across the year's end
        ("2025-02-24", True),
        ("2025-03-06", True),  # ten days across a February of 28
        ("2023-12-22", False),  # before the first
    ],
)
def test_leap_days_and_the_ends_of_years_and_months_don_t_shift_it(day: str, refresh: bool) -> None:
    assert is_refresh_day(date.fromisoformat(day)) is refresh


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"])
def test_the_time_zone_that_a_tick_is_written_in_and_its_daylight_saving_change_nothing(zone: str) -> None:
    for day in TEN_YEARS[:800]:
        elsewhere = midnight(day).astimezone(ZoneInfo(zone))
        assert isinstance(decide(elsewhere, elsewhere), dg.RunRequest) is asked(day)


def test_a_day_between_is_skipped_with_the_date_of_the_next_refresh() -> None:
    decision = decide(midnight(date(2024, 12, 27)), midnight(date(2024, 12, 27)))
    assert isinstance(decision, dg.SkipReason)
    assert decision.skip_message == "2024-12-27 is not a refresh day; the next one is 2025-01-05"


def test_the_next_refresh_day_is_always_the_first_one_later_than_the_day() -> None:
    for day in [date(2023, 12, 1), *TEN_YEARS[:400]]:
        following = find_next_refresh_day(day)
        assert following > day
        assert is_refresh_day(following)
        between = range(1, (following - day).days)
        assert not any(is_refresh_day(day + timedelta(days=days)) for days in between)


@pytest.mark.parametrize("late", [timedelta(minutes=1), timedelta(hours=23, minutes=59), timedelta(days=1)])
def test_a_short_outage_over_the_tick_loses_no_refresh(late: timedelta) -> None:
    tick = midnight(date(2024, 1, 11))
    assert isinstance(decide(tick, tick + late), dg.RunRequest)


def test_a_tick_that_comes_more_than_a_day_late_is_not_caught_up_and_says_so() -> None:
    tick = midnight(date(2024, 1, 11))
    decision = decide(tick, tick + timedelta(days=12, seconds=1))
    assert isinstance(decision, dg.SkipReason)
    assert decision.skip_message == (
        "the refresh of 2024-01-11 is more than a day late and not caught up; the next is 2024-01-31"
    )
    assert isinstance(decide(tick, tick + timedelta(days=1, seconds=1)), dg.SkipReason)


def test_it_ticks_daily_at_midnight_utc_and_is_on_without_anybody_s_help() -> None:
    assert (refresh_schedule.cron_schedule, refresh_schedule.execution_timezone) == ("0 0 * * *", "UTC")
    assert refresh_schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    assert refresh_schedule.job_name == "refresh"
