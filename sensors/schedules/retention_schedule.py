"""The schedule of retention: every day at 04:30 UTC, between two waves."""

import dagster as dg

from credit_assets.jobs import apply_retention

retention_schedule = dg.ScheduleDefinition(
    name="retention_schedule",
    job=apply_retention,
    cron_schedule="30 4 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Deletes what is older than [retention] in the settings allows, every day at 04:30 UTC.",
)
