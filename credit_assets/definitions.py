"""Everything that Dagster loads: assets, checks, jobs, schedules, sensors, and the one table of resources."""

import dagster as dg

from credit_assets.executors import chosen_executor
from credit_assets.jobs import refresh, resilience
from credit_assets.loan_dataset import loan_dataset
from credit_assets.model_metrics import model_metrics
from credit_assets.operations.progress import progress
from credit_assets.promoted_model import promote_by_hand_job, promoted_model
from credit_assets.resilience_report import resilience_report
from credit_assets.settings import SettingsFile
from credit_assets.training import training
from resources.services.database import Database
from resources.store.checkpoints import Checkpoints
from resources.store.io_manager import CheckpointIOManager
from sensors.failures import failures
from sensors.lost_retries import lost_retries
from sensors.new_loans import new_loans
from sensors.refresh_schedule import refresh_schedule
from sensors.resilience_schedule import resilience_schedule

checkpoints = Checkpoints(store_uri=dg.EnvVar("CREDIT_STORE"))

defs = dg.Definitions(
    assets=[loan_dataset, training, model_metrics, promoted_model, resilience_report],
    jobs=[refresh, resilience, promote_by_hand_job],
    schedules=[refresh_schedule, resilience_schedule],
    sensors=[new_loans, failures, lost_retries],
    executor=chosen_executor(),
    loggers={"progress": progress, "console": dg.colored_console_logger},
    resources={
        "settings": SettingsFile(path=dg.EnvVar("CREDIT_SETTINGS")),
        "database": Database(url=dg.EnvVar("LOANS_DATABASE_URL")),
        "checkpoints": checkpoints,
        "checkpoint_io": CheckpointIOManager(checkpoints=checkpoints),
    },
)
