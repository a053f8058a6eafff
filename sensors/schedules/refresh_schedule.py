"""The schedule: a refresh every 10 days, counted from 2024-01-01 UTC.

Cron can't express that. `*/10` in its day field means the 1st, 11th, 21st and 31st, so gaps of 1 day and of 8 to 11
days would come with every month. Here cron ticks daily, at midnight UTC, and a rule picks the days.

A missed refresh is not caught up. After an outage, Dagster's scheduler evaluates only the newest of the missed ticks.
(`max_catchup_runs`, 5 by default, applies to partitioned jobs only.) If the outage ends on the refresh day, the newest
tick is still that of the refresh, and the refresh runs. If it ends later, the newest tick is another day's and is
skipped. A tick that arrives more than a day late is refused by the rule here, with the reason.

If the daemon dies while it evaluates a tick, it evaluates the tick again. The run key has the day of the tick, so
Dagster finds the run that was already made.

Belongs here: on which days a refresh runs. Does not belong here: what a refresh does (`credit_assets.jobs`).
"""

from datetime import UTC, date, datetime, timedelta

import dagster as dg

from credit_assets.jobs import refresh

FIRST_DAY = date(2024, 1, 1)
INTERVAL = timedelta(days=10)
GREATEST_DELAY = timedelta(days=1)


def is_refresh_day(day: date) -> bool:
    """Whether a whole number of ten-day steps lies between 2024-01-01 and this day."""
    return day >= FIRST_DAY and (day - FIRST_DAY) % INTERVAL == timedelta(0)


def find_next_refresh_day(after: date) -> date:
    """The first refresh day later than the given day."""
    return max(FIRST_DAY, FIRST_DAY + ((after - FIRST_DAY) // INTERVAL + 1) * INTERVAL)


def decide(scheduled: datetime, now: datetime) -> dg.RunRequest | dg.SkipReason:
    """A run if the tick is that of a refresh day and at most a day late; else a skip with its reason.

    Args:
        scheduled: when the tick was due, with a time zone.
        now: when it is evaluated, with a time zone.
    """
    day = scheduled.astimezone(UTC).date()
    if not is_refresh_day(day):
        return dg.SkipReason(f"{day} is not a refresh day; the next one is {find_next_refresh_day(day)}")
    if now - scheduled > GREATEST_DELAY:
        next_day = find_next_refresh_day(now.astimezone(UTC).date())
        return dg.SkipReason(f"the refresh of {day} is more than a day late and not caught up; the next is {next_day}")
    return dg.RunRequest(run_key=f"refresh-{day}")


@dg.schedule(
    job=refresh,
    cron_schedule="0 0 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="A refresh every 10 days, counted from 2024-01-01 UTC. It ticks daily and skips the days between.",
)
def refresh_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Decides about the tick that is due, by the clock of the code server."""
    return decide(context.scheduled_execution_time, datetime.now(UTC))
