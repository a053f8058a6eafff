"""The schedule of prices: every hour, unless a pricing run is still under way.

Belongs here: when prices are asked for. Does not belong here: how a rate is found (`credit_assets.pricing`).
"""

from datetime import UTC, datetime

import dagster as dg

from credit_assets.jobs import PRICE_SEGMENTS, price_segments
from credit_assets.settings.file import SettingsError, SettingsFile
from resources.deployment import Deployment
from resources.environment import DeploymentError
from resources.history.run_groups import find_unfinished_run


def request_prices(scheduled: datetime, under_way: str | None) -> dg.RunRequest | dg.SkipReason:
    """A pricing run, or a skip that names the run that is still under way.

    Args:
        scheduled: when the tick was due, with a time zone.
        under_way: id of a run that has not ended.
    """
    if under_way:
        return dg.SkipReason(f"the pricing run {under_way} is still under way; the next one is due in an hour")
    return dg.RunRequest(run_key=f"prices-{scheduled.astimezone(UTC):%Y-%m-%dT%H:%M}")


@dg.schedule(
    job=price_segments,
    # Ten minutes after the hour in which a wave may begin, so that its scores are there.
    cron_schedule="10 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Prices at 10 minutes past every hour, unless a pricing run is still under way.",
)
def price_schedule(
    context: dg.ScheduleEvaluationContext, settings: SettingsFile, deployment: dg.ResourceParam[Deployment]
) -> dg.RunRequest | dg.SkipReason:
    """Decides about the tick that is due. Without [pricing], or a database for the prices, it skips."""
    try:
        settings.load().require_pricing()
        deployment.require("scores_url")
    except (SettingsError, DeploymentError) as error:
        return dg.SkipReason(f"nothing is priced: {error}")
    return request_prices(context.scheduled_execution_time, find_unfinished_run(context.instance, (PRICE_SEGMENTS,)))
