"""The asset `resilience_report`: what losses of workers cost, by week, and whether every promoted set is whole.

It reads Dagster's storage and the artifact store, and no loan.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from pydantic import Field

from credit_assets.checks.verdict import Verdict, declare_checks, publish
from credit_assets.measurement.figures import round_figure
from credit_assets.operations.audit import audit_promotions
from credit_assets.operations.page import make_table, show_interruptions, show_weeks, write_page
from credit_assets.operations.weeks import describe_interruption, list_mondays, sum_up_weeks
from credit_assets.settings.file import SettingsFile
from credit_assets.settings.limits import Prices
from resources.history.interruptions import find_interruptions
from resources.history.run_groups import read_attempts, read_failed_groups, read_worker_times
from resources.store.checkpoints import Checkpoints
from resources.store.formats import Document
from resources.store.object_store import ObjectStore

REPORT, GROUP, CHECK = "resilience_report", "operations", "promoted_sets_are_whole"
CHECKS = {CHECK: "Every set that was ever promoted is complete and unchanged."}
# Figures of the whole window that Dagster's UI draws over time.
FIGURES = ("interruptions", "not_running_again", "running_again_p50", "running_again_p95", "waste_percent")


class Window(dg.Config):
    """How far back the report looks."""

    weeks: int = Field(default=8, ge=1, le=52, description="Weeks; the last one is the current week.")


def make_report(
    instance: dg.DagsterInstance, store: ObjectStore, table: str, prices: Prices, now: float, weeks: int
) -> Document:
    """The report as of now (Unix seconds), for programs and for people."""
    mondays = list_mondays(now, weeks)
    since = datetime.combine(mondays[0], datetime.min.time(), UTC).timestamp()
    groups = (read_attempts(instance, group) for group in read_failed_groups(instance, since))
    lost = [each for group in groups for each in find_interruptions(group) if each.when >= since]
    workers, audit = list(read_worker_times(instance, since)), audit_promotions(store, table)
    rows = sum_up_weeks(mondays, lost, workers, audit.promoted, prices)
    events, damages = [describe_interruption(each) for each in lost], list(audit.damages)
    data = {"weeks": rows, "interruptions": events, "damaged": damages, "prices": prices.model_dump()}
    return Document(data, write_page(rows, events, damages))


@dg.asset(
    key=REPORT,
    group_name=GROUP,
    kinds={"json"},
    owners=["team:credit-risk"],
    code_version="1",
    io_manager_key="checkpoint_io",
    metadata={"format": "report"},
    check_specs=declare_checks(REPORT, CHECKS, blocking=False),
)
def resilience_report(
    context: dg.AssetExecutionContext, config: Window, settings: SettingsFile, checkpoints: Checkpoints
) -> Iterator[Any]:
    """Losses of workers by week: how soon each was noticed and made good, what they wasted, what spot nodes saved."""
    declared, store = settings.load(), checkpoints.store
    prices, table = declared.prices, declared.table.name

    def make() -> tuple[Document, dict[str, Any]]:
        return make_report(context.instance, store, table, prices, time.time(), config.weeks), {"weeks": config.weeks}

    report = checkpoints.work(context, REPORT, prices=prices.model_dump()).adopt_or(make)
    data = report.value.data
    *_, whole = data["weeks"]
    damages = data["damaged"]
    metadata = {
        "weeks": make_table(show_weeks(data["weeks"])),
        "latest_interruptions": make_table(show_interruptions(data["interruptions"])),
        "damaged": len(damages),
        **{name: round_figure(whole[name], 3) for name in FIGURES},
        "prices": data["prices"] if prices.spot else "none ([prices] in the settings): no cost is computed",
    }
    # A damage is no reason not to report it: this check does not block.
    message = "; ".join(damages) or f"all {whole['promoted']} are whole"
    yield from publish(REPORT, report, metadata, [Verdict(CHECK, not damages, message, blocking=False)])
