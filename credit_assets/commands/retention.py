"""`credit-platform retention`: what would be deleted because it is old, and with `--apply` its deletion.

Belongs here: which history and store are opened. Does not belong here: the rules (`credit_assets.retention`).
"""

from datetime import UTC, datetime
from pathlib import Path

from credit_assets.commands.lineage import open_records
from credit_assets.retention.page import write_removals
from credit_assets.retention.retention import NO_LIMITS
from credit_assets.retention.rules import find_removals
from credit_assets.settings.file import load_settings
from resources.deployment import Deployment
from resources.environment import DeploymentError


def print_retention(deployment: Deployment, settings: Path, *, apply: bool) -> None:
    """Prints what each rule of retention finds, after it was deleted if that is asked for.

    Args:
        deployment: where store and history are.
        settings: with the limits.
        apply: whether to delete.

    Raises:
        PlatformError: the store or the history can't be opened, or refuses.
    """
    with open_records(deployment, settings) as (_, instance):
        if instance is None:
            raise DeploymentError("DAGSTER_HOME is not set: name the folder of dagster.yaml, whose history is meant")
        removals = find_removals(instance, load_settings(settings), datetime.now(UTC))
        if apply:
            for each in removals:
                each.delete()
        print(write_removals(removals, dry=not apply) or NO_LIMITS)
