"""The resilience report for people: tables for Dagster's UI, and the same tables as text.

Belongs here: how figures are shown. Does not belong here: the figures (`weeks`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import dagster as dg

from credit_assets.measurement.figures import format_figure

# Interruptions that are shown, the latest first. The JSON file has all of them.
MAX_SHOWN = 50
Row = Mapping[str, Any]


class Column(NamedTuple):
    """A column of the weekly table: its title, how a row is shown in it, and what it means."""

    title: str
    show: Callable[[Row], str]
    meaning: str = ""


def show_count(name: str) -> Callable[[Row], str]:
    """A count, or a date, as it is."""
    return lambda row: str(row[name])


def show_percentile(name: str) -> Callable[[Row], str]:
    """Seconds; `never` if the percentile never happened, `undefined` if nothing was counted."""

    def show(row: Row) -> str:
        notices = row["with_notice"] if name.startswith("noticed") else 0
        return show_seconds(row[name], bool(row["interruptions"] - notices))

    return show


def show_number(name: str, unit: str = "", digits: int = 2) -> Callable[[Row], str]:
    """A figure with its unit; `undefined` without a value."""
    return lambda row: format_figure(row[name], f".{digits}f", unit)


COLUMNS = (
    Column("week of", show_count("week"), "Its Monday, in UTC. The row `all` counts every promotion there ever was."),
    Column("runs", show_count("runs")),
    Column("interruptions", show_count("interruptions")),
    Column("with notice", show_count("with_notice")),
    Column("crashes", show_count("crashes")),
    Column("never ran again", show_count("not_running_again"), "Losses after which no step has started so far."),
    Column("noticed p50", show_percentile("noticed_p50"), "From a loss without notice until it was noticed."),
    Column("noticed p95", show_percentile("noticed_p95")),
    Column(
        "running again p50",
        show_percentile("running_again_p50"),
        "From a loss to the first step of a later attempt; `never` is worse than any time.",
    ),
    Column("running again p95", show_percentile("running_again_p95")),
    Column("work lost", show_number("work_lost_seconds", " s", 1), "Work that retries repeat."),
    Column(
        "wasted",
        show_number("waste_percent", " %"),
        "Work done again, and the start of the next attempt with its wait for a node, of all time of workers.",
    ),
    Column("promoted", show_count("promoted")),
    Column("damaged", show_count("damaged"), "Promoted sets that are not whole."),
    Column(
        "cost",
        show_number("cost"),
        "An attempt that was not bound to spot nodes is taken to be on a node that stays.",
    ),
    Column("on demand", show_number("cost_on_demand"), "What was not wasted, on nodes that stay."),
)


def show_weeks(rows: Sequence[Row]) -> list[dict[str, str]]:
    """The rows of `sum_up_weeks` for people."""
    return [{column.title: column.show(row) for column in COLUMNS} for row in rows]


def show_interruptions(lost: Sequence[Row]) -> list[dict[str, str]]:
    """The latest of the interruptions that `describe_interruption` returned, for people."""
    latest = sorted(lost, key=lambda each: each["when"], reverse=True)[:MAX_SHOWN]
    return [
        {
            "when": each["when"],
            "run": each["run"],
            "node": f"{each['node'] or 'unknown'}{' (spot)' if each['spot'] else ''}",
            "kind": "crash" if each["crash"] else "with notice" if each["notice"] else "without notice",
            "noticed": show_seconds(each["detected_after"], True),
            "running again": show_seconds(each["running_again_after"], True),
            "work lost": show_seconds(each["work_lost"], True),
            "cost": show_seconds(each["cost"], True),
        }
        for each in latest
    ]


def show_seconds(value: float | None, counted: bool) -> str:
    """Seconds. Without a value it never happened, or nothing was counted."""
    return "never" if value is None and counted else format_figure(value, ".1f", " s")


def make_table(records: Sequence[Mapping[str, str]]) -> dg.TableMetadataValue:
    """Records as a table of Dagster's UI, with what the weekly columns mean."""
    meanings = {column.title: column.meaning for column in COLUMNS}
    titles = list(records[0]) if records else []
    schema = dg.TableSchema([dg.TableColumn(title, "string", meanings.get(title) or None) for title in titles])
    return dg.MetadataValue.table([dg.TableRecord(dict(each)) for each in records], schema)


def write_page(weeks: Sequence[Row], lost: Sequence[Row], damages: Sequence[str], audit: str) -> str:
    """The report as Markdown: a line for each week, what the columns mean, damage, and the latest interruptions.

    `audit` is a sentence that says how many promoted sets are whole.
    """
    latest = show_interruptions(lost)
    meanings = [f"- *{column.title}*: {column.meaning}" for column in COLUMNS if column.meaning]
    damage = [f"- {each}" for each in damages] or [f"- none: {audit}"]
    heading = f"## The latest {len(latest)} of {len(lost)} interruptions"
    return "\n".join(
        [*_write_table(show_weeks(weeks)), "", *meanings, "", "## Damage", *damage, "", heading, *_write_table(latest)]
    )


def _write_table(records: Sequence[Mapping[str, str]]) -> list[str]:
    if not records:
        return []
    titles = list(records[0])
    rows = [titles, ["---"] * len(titles), *([each[title] for title in titles] for each in records)]
    return [f"| {' | '.join(row)} |" for row in rows]
