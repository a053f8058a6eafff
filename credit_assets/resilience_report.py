"""resilience_report: what losses of workers cost, by week, and whether all that was ever promoted is whole.

It reads Dagster's own storage and the artifact store, and nothing of loans.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from pydantic import Field

from credit_assets.operations.weeks import Promoted, by_week, mondays, page, record, totals
from credit_assets.promotion.model_set import MixtureError, promoted_set, verified_metrics
from credit_assets.promotion.rule import POINTER, set_digest
from credit_assets.settings import Prices, SettingsFile
from resources.history.attempts import read, worked
from resources.history.interruptions import interruptions
from resources.store.artifacts import ArtifactError
from resources.store.checkpoints import Checkpoints
from resources.store.formats import Document
from resources.store.object_store import ObjectStore
from resources.store.pointer import Pointer, PointerError, Position

REPORT, GROUP, CHECK = "resilience_report", "operations", "promoted_sets_are_whole"


class Window(dg.Config):
    """How far back the report looks."""

    weeks: int = Field(default=8, ge=1, le=52, description="Weeks, that of today among them.")


def verify(store: ObjectStore) -> tuple[list[Promoted], list[str]]:
    """Every position of the pointer with what is wrong with its set, and all that is wrong, in words.

    Every file of every set is read. A history that can't be read to its end is damage too.

    Raises:
        StoreError: the store is denied or away; that is no damage.
    """
    found, seen = [], dict[str, str | None]()
    try:
        for position in Pointer(store, POINTER).history():
            named = set_digest(position)
            if named not in seen:
                seen[named] = damage(store, position)
            found.append(Promoted(position.number, datetime.fromisoformat(position.at).timestamp(), seen[named]))
    except PointerError as error:
        return found, [*_said(found), str(error)]
    return found, _said(found)


def damage(store: ObjectStore, position: Position) -> str | None:
    """Why the set that a position names can't be trusted; None if it is whole and belongs together."""
    try:
        verified_metrics(store, promoted_set(store, position))
    except (ArtifactError, MixtureError) as error:
        return str(error)
    return None


def _said(found: list[Promoted]) -> list[str]:
    return [f"number {each.number}: {each.damage}" for each in found if each.damage]


def look(instance: dg.DagsterInstance, store: ObjectStore, prices: Prices, now: float, weeks: int) -> Document:
    """The report as of now (Unix seconds), for programs and for people."""
    starts = mondays(now, weeks)
    since = datetime.combine(starts[0], datetime.min.time(), UTC).timestamp()
    lost = [each for group in read(instance, since) for each in interruptions(group) if each.when >= since]
    workers, (promoted, damaged) = list(worked(instance, since)), verify(store)
    rows = by_week(starts, lost, workers, promoted, prices)
    rows.append({"week": "all"} | totals(lost, workers, promoted, prices))
    events = [record(each) for each in lost]
    data = {"weeks": rows, "interruptions": events, "damaged": damaged, "prices": prices.model_dump()}
    return Document(data, page(rows, events, damaged))


@dg.asset(
    key=REPORT,
    group_name=GROUP,
    kinds={"json"},
    owners=["team:credit-risk"],
    code_version="1",
    io_manager_key="checkpoint_io",
    metadata={"format": "report"},
    check_specs=[
        dg.AssetCheckSpec(
            name=CHECK,
            asset=REPORT,
            description="Every set that was ever promoted is there, belongs together and has the bytes that were "
            "committed.",
        )
    ],
)
def resilience_report(
    context: dg.AssetExecutionContext, config: Window, settings: SettingsFile, checkpoints: Checkpoints
) -> Iterator[Any]:
    """Losses of workers by week: how soon noticed and running again, what they wasted, and what spot nodes saved."""
    prices, store = settings.load().prices, checkpoints.store

    def computed() -> tuple[Document, dict[str, Any]]:
        return look(context.instance, store, prices, time.time(), config.weeks), {"weeks": config.weeks}

    report = checkpoints.work(context, REPORT, prices=prices.model_dump()).adopt_or(computed).commit()
    data = report.value.data
    *_, whole = data["weeks"]
    names = ("interruptions", "not_running_again", "running_again_p50", "running_again_p95", "waste_percent")
    damaged = data["damaged"]
    yield dg.MaterializeResult(
        asset_key=REPORT,
        value=report,
        metadata={
            "report": dg.MetadataValue.md(report.value.text),
            "damaged": len(damaged),
            **{name: value for name in names if (value := whole[name]) is not None},
            "prices": data["prices"] if prices.spot else "none ([prices] in the settings): no cost is computed",
        },
        check_results=[
            dg.AssetCheckResult(
                asset_key=REPORT,
                check_name=CHECK,
                passed=not damaged,
                description="; ".join(damaged) or f"all {whole['promoted']} are whole",
            )
        ],
        data_version=dg.DataVersion(report.sha256),
    )
