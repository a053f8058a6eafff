"""The asset `retention`: it deletes what is older than the limits of the settings, and shows what it kept and why."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from pydantic import Field

from credit_assets.checks.verdict import publish
from credit_assets.operations.page import make_table
from credit_assets.retention.page import show_removals, write_removals
from credit_assets.retention.rules import find_removals
from credit_assets.settings.file import SettingsFile
from resources.instance.event_retention.size import measure_event_log
from resources.services.database import Database
from resources.store.checkpoints import Checkpoints
from resources.store.formats import Document

RETENTION = "retention"
NO_LIMITS = "nothing is deleted, because the settings have no section [retention]"


class RetentionConfig(dg.Config):
    """Whether anything is deleted."""

    dry_run: bool = Field(default=False, description="Only show what would be deleted.")


@dg.asset(
    key=RETENTION,
    group_name=RETENTION,
    kinds={"json"},
    owners=["team:credit-risk"],
    code_version="1",
    io_manager_key="checkpoint_io",
    metadata={"format": "report"},
)
def retention(
    context: dg.AssetExecutionContext,
    config: RetentionConfig,
    settings: SettingsFile,
    database: Database,
    scores_database: Database,
    checkpoints: Checkpoints,
) -> Iterator[Any]:
    """What was deleted because it is old, what is kept, and why."""
    declared = settings.load()
    removals = find_removals(
        context.instance, checkpoints.store, database, scores_database, declared, datetime.now(UTC)
    )
    if not config.dry_run:
        for each in removals:
            context.log.info(f"{each.kind}: deletes {each.goes.count:,}")
            each.delete()
    text = write_removals(removals, dry=config.dry_run) or NO_LIMITS
    data = {
        "dry_run": config.dry_run,
        "removals": [
            {"kind": each.kind, "goes": asdict(each.goes), "stays": asdict(each.stays), "why": each.why}
            for each in removals
        ],
    }
    report = checkpoints.work(context, RETENTION).adopt_or(lambda: (Document(data, text + "\n"), {}))
    metadata = {
        "dry run": config.dry_run,
        "removals": make_table(show_removals(removals, dry=config.dry_run)) if removals else NO_LIMITS,
        "MB of the event log": round(measure_event_log(context.instance) / 1e6, 1),
    }
    yield from publish(RETENTION, report, metadata, [])
