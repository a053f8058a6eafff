"""The schedule of waves: every three hours, unless a wave is still under way.

Belongs here: when a wave is asked for. Does not belong here: what a wave scores (`credit_assets.waves`).
"""

from datetime import UTC, datetime

import dagster as dg

from credit_assets.jobs import SCORE_LOCATIONS, score_locations
from credit_assets.settings.file import SettingsError, SettingsFile
from credit_assets.waves.page import RESCORE
from credit_assets.waves.plans.making import WAVE
from credit_assets.waves.runs.attempts import WAVE_ID
from credit_assets.waves.runs.exclusion import find_wave_under_way
from resources.deployment import Deployment
from resources.environment import DeploymentError
from resources.history.run_groups import find_unfinished_run


def request_wave(scheduled: datetime, under_way: str | None, shards: int = 1) -> list[dg.RunRequest] | dg.SkipReason:
    """A run for each shard of a wave, or a skip that names the wave that is still under way.

    Args:
        scheduled: when the tick was due, with a time zone.
        under_way: id of a run that has not ended.
        shards: how many runs share the locations.
    """
    if under_way:
        return dg.SkipReason(f"the wave of run {under_way} is still under way; the next one is due in three hours")
    wave = f"wave-{scheduled.astimezone(UTC):%Y-%m-%dT%H:%M}"
    if shards == 1:
        return [dg.RunRequest(run_key=wave)]
    return [
        dg.RunRequest(
            run_key=f"{wave}-{shard}",
            tags={WAVE_ID: wave},
            run_config={"ops": {WAVE: {"config": {"shard": shard, "shards": shards}}}},
        )
        for shard in range(1, shards + 1)
    ]


@dg.schedule(
    job=score_locations,
    cron_schedule="0 */3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="A wave at 00:00 UTC and every three hours after it, unless a wave is still under way.",
)
def wave_schedule(
    context: dg.ScheduleEvaluationContext, settings: SettingsFile, deployment: dg.ResourceParam[Deployment]
) -> list[dg.RunRequest] | dg.SkipReason:
    """Decides about the tick that is due. Without [scoring], or a database for the scores, it skips."""
    try:
        declared = settings.load()
        scoring = declared.require_scoring()
        deployment.require("scores_url")
    except (SettingsError, DeploymentError) as error:
        return dg.SkipReason(f"nothing is scored: {error}")
    # A job's run is known before it begins. One that was started from the asset's page has no job of its own.
    waiting = find_unfinished_run(context.instance, (SCORE_LOCATIONS, RESCORE))
    under_way = waiting or find_wave_under_way(context.instance, declared.table.name)
    return request_wave(context.scheduled_execution_time, under_way, scoring.shards)
