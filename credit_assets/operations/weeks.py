"""What losses of workers cost, by week.

Belongs here: pure sums over interruptions, working times and promotions. Does not belong here: how they are shown
(`page`).
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

from credit_assets.operations.audit import Promoted
from credit_assets.settings.limits import Prices
from resources.history.attempt import InterruptionKind
from resources.history.interruptions import Interruption, find_percentile
from resources.history.run_groups import WorkerTime


def find_monday(moment: float) -> date:
    """The first day, in UTC, of the week of a time in Unix seconds."""
    day = datetime.fromtimestamp(moment, UTC).date()
    return day - timedelta(days=day.weekday())


def list_mondays(now: float, weeks: int) -> list[date]:
    """The first days of so many weeks; the last week is the one of now (Unix seconds)."""
    return [find_monday(now) - timedelta(weeks=back) for back in reversed(range(weeks))]


def sum_up(
    lost: Sequence[Interruption], workers: Sequence[WorkerTime], promoted: Sequence[Promoted], prices: Prices
) -> dict[str, Any]:
    """Counts, percentiles in seconds, waste in percent, and costs if there are prices.

    The cost on demand is that of the work that was not wasted, on nodes that stay. None: the figure is not defined.
    """
    without_notice = [each.detected_after for each in lost if each.kind is not InterruptionKind.NOTICE]
    again = [each.running_again_after for each in lost]
    paid = [(each.seconds, each.spot) for each in workers] + [(each.start_up, each.spot) for each in lost]
    seconds, wasted = sum(time for time, _ in paid), sum(each.cost for each in lost)
    return {
        "runs": len(workers),
        "worker_seconds": round(seconds, 1),
        "interruptions": len(lost),
        "with_notice": len(lost) - len(without_notice),
        "crashes": sum(each.kind is InterruptionKind.CRASH for each in lost),
        "on_spot": sum(each.spot is True for each in lost),
        "not_running_again": again.count(None),
        "noticed_p50": find_percentile(without_notice, 0.5),
        "noticed_p95": find_percentile(without_notice, 0.95),
        "running_again_p50": find_percentile(again, 0.5),
        "running_again_p95": find_percentile(again, 0.95),
        "work_lost_seconds": round(sum(each.work_lost for each in lost), 1),
        "start_up_seconds": round(sum(each.start_up for each in lost), 1),
        "waste_percent": round(100 * wasted / seconds, 3) if seconds else None,
        "promoted": len(promoted),
        "damaged": sum(each.damage is not None for each in promoted),
        "cost": sum(find_cost(time, prices, spot) for time, spot in paid) if prices.spot else None,
        "cost_on_demand": find_cost(seconds - wasted, prices, spot=False) if prices.spot else None,
    }


def find_cost(seconds: float, prices: Prices, spot: bool | None) -> float:
    """What a worker costs for so many seconds. A node that is not known to be spot has the price on demand."""
    return seconds / 3600 * ((prices.spot if spot else prices.on_demand) or 0)


def sum_up_weeks(
    mondays: Sequence[date],
    lost: Sequence[Interruption],
    workers: Sequence[WorkerTime],
    promoted: Sequence[Promoted],
    prices: Prices,
) -> list[dict[str, Any]]:
    """One row for each week, quiet weeks too, with its first day; then one row for all that was given."""
    rows = [
        {"week": monday.isoformat()}
        | sum_up(
            [each for each in lost if find_monday(each.when) == monday],
            [each for each in workers if find_monday(each.until) == monday],
            [each for each in promoted if find_monday(each.promoted_at) == monday],
            prices,
        )
        for monday in mondays
    ]
    return [*rows, {"week": "all"} | sum_up(lost, workers, promoted, prices)]


def describe_interruption(each: Interruption) -> dict[str, Any]:
    """An interruption as JSON: its time in ISO 8601, its cost in seconds of a worker."""
    fields = asdict(each)
    del fields["kind"]
    return fields | {
        "when": datetime.fromtimestamp(each.when, UTC).isoformat(timespec="seconds"),
        "notice": each.kind is InterruptionKind.NOTICE,
        "crash": each.kind is InterruptionKind.CRASH,
        "cost": each.cost,
    }
