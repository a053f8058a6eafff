"""Everything that Dagster loads: assets, checks, jobs, schedules, sensors, and the one table of resources.

Belongs here: `build_defs`, which turns a deployment into definitions. Code servers, the command line, tests and
benchmarks all call it. Does not belong here: an asset, a job, a sensor or a resource itself.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from credit_assets.benchmark.benchmark import benchmark
from credit_assets.helping.helper_run import help_training_job
from credit_assets.jobs import apply_retention, price_segments, refresh, rescore, resilience, score_locations
from credit_assets.loan_dataset import loan_dataset
from credit_assets.location_scores import location_scores
from credit_assets.model_metrics import model_metrics
from credit_assets.operations.progress import progress
from credit_assets.pricing.segment_prices import segment_prices
from credit_assets.promoted_model import promoted_model
from credit_assets.promotion.by_hand import promote_by_hand_job
from credit_assets.resilience_report import resilience_report
from credit_assets.retention.retention import retention
from credit_assets.settings.file import SettingsFile
from credit_assets.training import training
from credit_assets.wave import wave
from resources.deployment import Deployment
from resources.history.tags import Whereabouts
from resources.launching.executors import choose_executor
from resources.services.database import Database
from resources.services.registry import Registry
from resources.services.webserver import Webserver
from resources.store.checkpoints import Checkpoints
from resources.store.io_manager import CheckpointIOManager
from sensors.failures import failures
from sensors.locations import locations
from sensors.lost_retries import lost_retries
from sensors.new_loans import new_loans
from sensors.schedules.price_schedule import price_schedule
from sensors.schedules.refresh_schedule import refresh_schedule
from sensors.schedules.resilience_schedule import resilience_schedule
from sensors.schedules.retention_schedule import retention_schedule
from sensors.schedules.wave_schedule import wave_schedule
from sensors.training_helpers import training_helpers


def build_defs(deployment: Deployment, *, resource_overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """The definitions of one deployment. A value that is missing is refused by the resource that needs it, when used.

    Args:
        deployment: where this process runs and what it works with.
        resource_overrides: resources by their key, in the place of those that the deployment describes.
    """
    return dg.Definitions(
        assets=[
            loan_dataset,
            training,
            model_metrics,
            benchmark,
            promoted_model,
            resilience_report,
            wave,
            location_scores,
            segment_prices,
            retention,
        ],
        jobs=[
            refresh,
            resilience,
            promote_by_hand_job,
            score_locations,
            rescore,
            price_segments,
            help_training_job,
            apply_retention,
        ],
        schedules=[refresh_schedule, resilience_schedule, wave_schedule, price_schedule, retention_schedule],
        sensors=[new_loans, locations, failures, lost_retries, training_helpers],
        executor=choose_executor(deployment.executor),
        loggers={"progress": progress, "console": dg.colored_console_logger},
        resources=build_resources(deployment) | dict(resource_overrides or {}),
    )


def build_resources(deployment: Deployment) -> dict[str, Any]:
    """The resources of one deployment, by their key."""
    checkpoints = Checkpoints(
        store_uri=deployment.store or "",
        where=Whereabouts(image=deployment.image, node=deployment.node, capacity=deployment.capacity),
    )
    return {
        "settings": SettingsFile(path=deployment.settings or ""),
        "database": Database(url=deployment.database_url or ""),
        "scores_database": Database(url=deployment.scores_url or "", setting="PLATFORM_SCORES_URL"),
        "checkpoints": checkpoints,
        "checkpoint_io": CheckpointIOManager(checkpoints=checkpoints),
        "registry": Registry(
            url=deployment.registry_url,
            token=deployment.registry_token,
            user=deployment.registry_user,
            password=deployment.registry_password,
        ),
        "webserver": Webserver(deployment.webserver_url),
        "deployment": deployment,
    }


defs = build_defs(Deployment.from_environment())
