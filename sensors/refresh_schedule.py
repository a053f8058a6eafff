"""The schedule: a refresh every 10 days, counted from 2024-01-01 UTC.

Cron can't say that: `*/10` in its day field means the 1st, 11th, 21st and 31st, so that gaps of 1 and of 8 to 11 days
come with every month. Cron ticks daily here, at midnight UTC, and a rule picks the days.

There is no catch-up, in two steps. Of the ticks that it missed, Dagster's scheduler evaluates the newest only (its
`max_catchup_runs`, 5 by default, is about partitioned jobs and does not count here). So an outage over a refresh's
midnight that ends within the day costs nothing: that tick is still the newest. After a longer one the newest is another
day's and is skipped. Should a tick arrive more than a day late all the same, it is refused here, with the reason.

A tick is evaluated again if the daemon died over it; the run key, with the time of the tick, finds the run it made.
"""

from datetime import UTC, date, datetime, timedelta

import dagster as dg

from credit_assets.jobs import refresh

FIRST = date(2024, 1, 1)
EVERY = timedelta(days=10)
AT_MOST_LATE = timedelta(days=1)


def is_refresh_day(day: date) -> bool:
    """Whether a whole number of ten-day steps lies between 2024-01-01 and this day."""
    return day >= FIRST and (day - FIRST) % EVERY == timedelta(0)


def next_refresh_day(after: date) -> date:
    """The first refresh day later than the given day."""
    return max(FIRST, FIRST + ((after - FIRST) // EVERY + 1) * EVERY)


def decide(scheduled: datetime, now: datetime) -> dg.RunRequest | dg.SkipReason:
    """A run for the tick of a refresh day that is not more than a day late; or why there is none.

    Args:
        scheduled: when the tick was due, with its time zone.
        now: when it is evaluated, with its time zone.
    """
    day = scheduled.astimezone(UTC).date()
    if not is_refresh_day(day):
        return dg.SkipReason(f"{day} is not a refresh day; the next one is {next_refresh_day(day)}")
    if now - scheduled > AT_MOST_LATE:
        following = next_refresh_day(now.astimezone(UTC).date())
        return dg.SkipReason(f"the refresh of {day} is more than a day late and not caught up; the next is {following}")
    return dg.RunRequest(run_key=f"refresh-{day}")


@dg.schedule(
    job=refresh,
    cron_schedule="0 0 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="A refresh every 10 days, counted from 2024-01-01 UTC. It ticks daily and skips the days between.",
)
def refresh_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Decides on the tick that is due, by the clock of the code server."""
    return decide(context.scheduled_execution_time, datetime.now(UTC))
