"""What losses of workers cost, by week: pure sums over interruptions, workers and promotions, and their page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from credit_assets.settings import Prices
from resources.history.attempts import Worked
from resources.history.interruptions import Interruption, percentile

NOTE = """*Running again* counts from when a worker was lost to the first step of a later attempt; *never* is counted as
worse than any time. *Noticed* is of losses without notice. *Wasted*: work done again, and the start of the next attempt
with its wait for a node, of all time of workers. *On demand*: what was not wasted, on nodes that stay. An attempt that
was not bound to spot nodes is taken to be on one that stays. The last line counts all that was ever promoted."""
COLUMNS: Mapping[str, tuple[str, Callable[[Any, Mapping[str, Any]], str]]] = {
    "week": ("week of", lambda value, _: str(value)),
    "runs": ("runs", lambda value, _: str(value)),
    "interruptions": ("interruptions", lambda value, _: str(value)),
    "with_notice": ("with notice", lambda value, _: str(value)),
    "crashes": ("crashes", lambda value, _: str(value)),
    "not_running_again": ("never ran again", lambda value, _: str(value)),
    "noticed_p50": ("noticed p50", lambda value, row: _seconds(value, row["interruptions"] - row["with_notice"])),
    "noticed_p95": ("p95", lambda value, row: _seconds(value, row["interruptions"] - row["with_notice"])),
    "running_again_p50": ("running again p50", lambda value, row: _seconds(value, row["interruptions"])),
    "running_again_p95": ("p95", lambda value, row: _seconds(value, row["interruptions"])),
    "work_lost_seconds": ("work lost", lambda value, _: f"{value:.1f} s"),
    "waste_percent": ("wasted", lambda value, _: "–" if value is None else f"{value:.2f} %"),
    "promoted": ("promoted", lambda value, _: str(value)),
    "damaged": ("damaged", lambda value, _: str(value)),
    "cost": ("cost", lambda value, _: "–" if value is None else f"{value:.2f}"),
    "cost_on_demand": ("on demand", lambda value, _: "–" if value is None else f"{value:.2f}"),
}


@dataclass(frozen=True)
class Promoted:
    """A position of the pointer, when it was taken (Unix seconds), and what is wrong with its set now, if anything."""

    number: int
    at: float
    damage: str | None = None


def monday(at: float) -> date:
    """The first day, in UTC, of the week of a time in Unix seconds."""
    day = datetime.fromtimestamp(at, UTC).date()
    return day - timedelta(days=day.weekday())


def mondays(now: float, weeks: int) -> list[date]:
    """So many weeks, the last of them that of now."""
    return [monday(now) - timedelta(weeks=back) for back in reversed(range(weeks))]


def totals(
    lost: Sequence[Interruption], worked: Sequence[Worked], promoted: Sequence[Promoted], prices: Prices
) -> dict[str, Any]:
    """Counts, percentiles in seconds, waste in percent, and, if there are prices, cost and cost on demand.

    On demand is what the work would have cost that was not wasted, on nodes that stay. None: it is not defined.
    """
    blind = [each.detected_after for each in lost if not each.notice]
    again = [each.running_again_after for each in lost]
    paid = [(each.seconds, each.spot) for each in worked] + [(each.start_up, each.spot) for each in lost]
    seconds, wasted = sum(time for time, _ in paid), sum(each.cost for each in lost)
    return {
        "runs": len(worked),
        "worker_seconds": round(seconds, 1),
        "interruptions": len(lost),
        "with_notice": sum(each.notice for each in lost),
        "crashes": sum(each.crash for each in lost),
        "on_spot": sum(each.spot is True for each in lost),
        "not_running_again": again.count(None),
        "noticed_p50": percentile(blind, 0.5),
        "noticed_p95": percentile(blind, 0.95),
        "running_again_p50": percentile(again, 0.5),
        "running_again_p95": percentile(again, 0.95),
        "work_lost_seconds": round(sum(each.work_lost for each in lost), 1),
        "start_up_seconds": round(sum(each.start_up for each in lost), 1),
        "waste_percent": round(100 * wasted / seconds, 3) if seconds else None,
        "promoted": len(promoted),
        "damaged": sum(each.damage is not None for each in promoted),
        "cost": sum(hours(time, prices, spot) for time, spot in paid) if prices.spot else None,
        "cost_on_demand": hours(seconds - wasted, prices, spot=False) if prices.spot else None,
    }


def hours(seconds: float, prices: Prices, spot: bool | None) -> float:
    """What a worker costs for so many seconds; where it is not known to be on a spot node, it is on demand."""
    return seconds / 3600 * ((prices.spot if spot else prices.on_demand) or 0)


def by_week(
    weeks: Sequence[date],
    lost: Sequence[Interruption],
    worked: Sequence[Worked],
    promoted: Sequence[Promoted],
    prices: Prices,
) -> list[dict[str, Any]]:
    """`totals` of each week, which begin on these Mondays, with its Monday; a week without anything has its row too."""
    return [
        {"week": week.isoformat()}
        | totals(
            [each for each in lost if monday(each.when) == week],
            [each for each in worked if monday(each.until) == week],
            [each for each in promoted if monday(each.at) == week],
            prices,
        )
        for week in weeks
    ]


def record(each: Interruption) -> dict[str, Any]:
    """An interruption as JSON, its time in ISO 8601, with its cost in seconds of a worker."""
    at = datetime.fromtimestamp(each.when, UTC).isoformat(timespec="seconds")
    return asdict(each) | {"when": at, "cost": each.cost}


def page(rows: Sequence[Mapping[str, Any]], lost: Sequence[Mapping[str, Any]], damaged: Sequence[str]) -> str:
    """The report for people, in Markdown: a line for each week, damage, and the latest interruptions."""
    lines = [_line(title for title, _ in COLUMNS.values()), "|---" + "|---:" * (len(COLUMNS) - 1) + "|"]
    lines += [_line(shown(row[name], row) for name, (_, shown) in COLUMNS.items()) for row in rows]
    lines += ["", NOTE, "", "## Damage", *(f"- {each}" for each in damaged or ["none: every promoted set is whole"])]
    latest = sorted(lost, key=lambda each: each["when"], reverse=True)[:50]
    lines += ["", f"## The latest {len(latest)} of {len(lost)} interruptions"]
    if latest:
        lines += [_line(("when", "run", "node", "", "noticed", "running again", "work lost", "cost")), "|---" * 8 + "|"]
    for each in latest:
        kind = "crash" if each["crash"] else "with notice" if each["notice"] else "without notice"
        place = f"{each['node'] or 'unknown'}{' (spot)' if each['spot'] else ''}"
        figures = [_seconds(each[name], 1) for name in ("detected_after", "running_again_after", "work_lost", "cost")]
        lines.append(_line((each["when"], each["run"], place, kind, *figures)))
    return "\n".join(lines)


def _line(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"


def _seconds(value: float | None, of: int) -> str:
    """Of how many: nothing has no percentile, something without one never came."""
    if value is None:
        return "never" if of else "–"
    return f"{value:.1f} s"
