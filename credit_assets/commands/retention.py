"""`credit-platform retention`: what would be deleted because it is old, and with `--apply` its deletion.

Belongs here: which history, store and databases are opened. Does not belong here: the rules
(`credit_assets.retention`).
"""

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from credit_assets.commands.one_machine.local import local_platform
from credit_assets.retention.page import write_removals
from credit_assets.retention.retention import NO_LIMITS
from credit_assets.retention.rules import find_removals
from credit_assets.settings.file import load_settings
from resources.deployment import Deployment
from resources.services.database import Database
from resources.store.opening import open_store


def print_retention(deployment: Deployment, settings: Path, *, apply: bool) -> None:
    """Prints what each rule of retention finds, after it was deleted if that is asked for.

    Args:
        deployment: where store, history and databases are; without a store and an instance, those of `make run`.
        settings: with the limits.
        apply: whether to delete.

    Raises:
        PlatformError: the store, the history or a database can't be opened, or refuses.
    """
    with ExitStack() as opened:
        if not (deployment.store and deployment.dagster_home):
            deployment = opened.enter_context(local_platform(settings, deployment)).deployment
        removals = find_removals(
            opened.enter_context(dg.DagsterInstance.get()),
            open_store(deployment.require("store")),
            Database(url=deployment.database_url or ""),
            Database(url=deployment.scores_url or "", setting="PLATFORM_SCORES_URL"),
            load_settings(settings),
            datetime.now(UTC),
        )
        if apply:
            for each in removals:
                each.delete()
        print(write_removals(removals, dry=not apply) or NO_LIMITS)
