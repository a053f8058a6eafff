"""The schedule of waves: every three hours, unless a wave is still under way.

Belongs here: when a wave is asked for. Does not belong here: what a wave scores (`credit_assets.waves`).
"""

from datetime import UTC, datetime

import dagster as dg

from credit_assets.jobs import SCORE_LOCATIONS, score_locations
from credit_assets.settings.file import SettingsError, SettingsFile
from credit_assets.waves.exclusion import find_wave_under_way
from credit_assets.waves.page import RESCORE
from resources.deployment import Deployment
from resources.environment import DeploymentError
from resources.history.run_groups import find_unfinished_run


def request_wave(scheduled: datetime, under_way: str | None) -> dg.RunRequest | dg.SkipReason:
    """A wave, or a skip that names the wave that is still under way.

    Args:
        scheduled: when the tick was due, with a time zone.
        under_way: id of a run that has not ended.
    """
    if under_way:
        return dg.SkipReason(f"the wave of run {under_way} is still under way; the next one is due in three hours")
    return dg.RunRequest(run_key=f"wave-{scheduled.astimezone(UTC):%Y-%m-%dT%H:%M}")


@dg.schedule(
    job=score_locations,
    cron_schedule="0 */3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="A wave at 00:00 UTC and every three hours after it, unless a wave is still under way.",
)
def wave_schedule(
    context: dg.ScheduleEvaluationContext, settings: SettingsFile, deployment: dg.ResourceParam[Deployment]
) -> dg.RunRequest | dg.SkipReason:
    """Decides about the tick that is due. Without [scoring], or a database for the scores, it skips."""
    try:
        declared = settings.load()
        declared.require_scoring()
        deployment.require("scores_url")
    except (SettingsError, DeploymentError) as error:
        return dg.SkipReason(f"nothing is scored: {error}")
    # A job's run is known before it begins. One that was started from the asset's page has no job of its own.
    waiting = find_unfinished_run(context.instance, (SCORE_LOCATIONS, RESCORE))
    under_way = waiting or find_wave_under_way(context.instance, declared.table.name)
    return request_wave(context.scheduled_execution_time, under_way)
