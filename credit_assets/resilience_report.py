"""The asset `resilience_report`: what losses of workers cost, by week, and whether every promoted set is whole.

It reads Dagster's storage and the artifact store, and no loan.
"""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from pydantic import Field

from credit_assets.checks.verdict import Verdict, declare_checks, publish
from credit_assets.measurement.figures import round_figure
from credit_assets.operations.audit import Reading, audit_promotions
from credit_assets.operations.page import make_table, show_interruptions, show_weeks, write_page
from credit_assets.operations.readings import describe_reading, parse_readings, sum_up_readings
from credit_assets.operations.weeks import describe_interruption, list_mondays, sum_up_weeks
from credit_assets.settings.file import SettingsFile
from credit_assets.settings.limits import Prices
from resources.history.interruptions import find_interruptions
from resources.history.run_groups import read_attempts, read_failed_groups, read_worker_times
from resources.store.artifacts import ArtifactError
from resources.store.checkpoints import Checkpoints
from resources.store.formats import FORMATS, Document
from resources.store.io_manager import MANIFEST_SHA256, PLACE
from resources.store.object_store import ObjectStore

REPORT, GROUP, CHECK = "resilience_report", "operations", "promoted_sets_are_whole"
CHECKS = {CHECK: "Every set that was ever promoted is complete and unchanged."}
# Figures of the whole window that Dagster's UI draws over time.
FIGURES = ("interruptions", "not_running_again", "running_again_p50", "running_again_p95", "waste_percent")


class Window(dg.Config):
    """How far back the report looks."""

    weeks: int = Field(default=8, ge=1, le=52, description="Weeks; the last one is the current week.")


def make_report(
    instance: dg.DagsterInstance,
    store: ObjectStore,
    table: str,
    prices: Prices,
    now: float,
    weeks: int,
    last: Mapping[int, Reading] | None = None,
    audit_sets: int | None = None,
) -> Document:
    """The report as of now (Unix seconds), for programs and for people.

    `last` and `audit_sets` limit which promoted sets are read whole (`audit_promotions`).
    """
    mondays = list_mondays(now, weeks)
    since = datetime.combine(mondays[0], datetime.min.time(), UTC).timestamp()
    groups = (read_attempts(instance, group) for group in read_failed_groups(instance, since))
    lost = [each for group in groups for each in find_interruptions(group) if each.when >= since]
    workers, audit = list(read_worker_times(instance, since)), audit_promotions(store, table, now, last, audit_sets)
    rows = sum_up_weeks(mondays, lost, workers, audit.promoted, prices)
    events, damages = [describe_interruption(each) for each in lost], list(audit.damages)
    readings = {
        "readings": [describe_reading(each) for each in audit.promoted],
        "summary": sum_up_readings(audit.promoted, now),
    }
    data = {
        "weeks": rows,
        "interruptions": events,
        "damaged": damages,
        "audit": readings,
        "prices": prices.model_dump(),
    }
    return Document(data, write_page(rows, events, damages, readings["summary"]))


def read_last_audit(context: dg.AssetExecutionContext, checkpoints: Checkpoints) -> Mapping[int, Reading]:
    """What the last report says of each position, by its number; nothing if there is no report that can be read."""
    event = context.instance.get_latest_materialization_event(dg.AssetKey(REPORT))
    recorded = event.asset_materialization.metadata if event and event.asset_materialization else {}
    if not {PLACE, MANIFEST_SHA256} <= set(recorded):
        return {}
    place, sha256 = str(recorded[PLACE].value), str(recorded[MANIFEST_SHA256].value)
    try:
        data = checkpoints.logged(place, sha256, FORMATS["report"]).value.data
    except ArtifactError as error:
        context.log.warning(f"every promoted set counts as never read, because the last report can't be read: {error}")
        return {}
    # A release before 0.2 audited every set, and wrote nothing about it.
    return parse_readings(data.get("audit", {"readings": []})["readings"])


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
    most = declared.retention.audit_sets if declared.retention else None

    def make() -> tuple[Document, dict[str, Any]]:
        last = read_last_audit(context, checkpoints) if most else None
        report = make_report(context.instance, store, table, prices, time.time(), config.weeks, last, most)
        return report, {"weeks": config.weeks}

    report = checkpoints.work(context, REPORT, prices=prices.model_dump(), audit_sets=most).adopt_or(make)
    data = report.value.data
    *_, whole = data["weeks"]
    damages = data["damaged"]
    metadata = {
        "weeks": make_table(show_weeks(data["weeks"])),
        "latest_interruptions": make_table(show_interruptions(data["interruptions"])),
        "damaged": len(damages),
        "audit": data["audit"]["summary"],
        **{name: round_figure(whole[name], 3) for name in FIGURES},
        "prices": data["prices"] if prices.spot else "none ([prices] in the settings): no cost is computed",
    }
    # A damage is no reason not to report it: this check does not block.
    message = "; ".join(damages) or data["audit"]["summary"]
    yield from publish(REPORT, report, metadata, [Verdict(CHECK, not damages, message, blocking=False)])
