"""The schedule of the resilience report: Mondays, when a week is whole."""

import dagster as dg

from credit_assets.jobs import resilience

resilience_schedule = dg.ScheduleDefinition(
    name="resilience_schedule",
    job=resilience,
    cron_schedule="30 4 * * 1",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="The resilience report, every Monday at 04:30 UTC.",
)
