"""A page that shows `0 s` where nothing was measured, or hides a run that never came back, leads to the wrong nodes."""

from dataclasses import replace

from credit_assets.operations.page import MAX_SHOWN, make_table, show_interruptions, show_weeks, write_page
from credit_assets.operations.weeks import describe_interruption, sum_up
from credit_assets.settings.limits import Prices
from resources.history.attempt import InterruptionKind
from resources.history.run_groups import WorkerTime
from tests.support.interruption import LOST

NEVER = replace(LOST, run="a third", kind=InterruptionKind.CRASH, running_again_after=None, start_up=0)
NOTICED = replace(LOST, run="another", kind=InterruptionKind.NOTICE, spot=None, node=None)


def week(*lost, workers=(), prices=None) -> dict:
    return {"week": "2026-11-16"} | sum_up(lost, workers, [], prices or Prices())


def test_a_quiet_week_shows_that_nothing_was_measured() -> None:
    (shown,) = show_weeks([week()])
    assert list(shown.values()) == [
        "2026-11-16", "0", "0", "0", "0", "0", "undefined", "undefined", "undefined", "undefined",
        "0.0 s", "undefined", "0", "0", "undefined", "undefined",
    ]  # fmt: skip


def test_a_figure_of_nothing_differs_from_one_that_was_not_measured() -> None:
    (shown,) = show_weeks([week(LOST, NEVER)])
    assert (shown["running again p50"], shown["running again p95"]) == ("15.0 s", "never")
    (shown,) = show_weeks([week(NOTICED)])
    assert (shown["noticed p50"], shown["running again p50"]) == ("undefined", "15.0 s"), "nobody had to notice it"


def test_costs_are_shown_if_there_are_prices() -> None:
    (shown,) = show_weeks([week(LOST, workers=[WorkerTime(0, 3595, spot=True)], prices=Prices(on_demand=3.6, spot=1))])
    assert (shown["wasted"], shown["cost"], shown["on demand"]) == ("0.19 %", "1.00", "3.59")


def test_an_interruption_shows_its_run_its_node_its_kind_and_what_it_cost() -> None:
    (shown,) = show_interruptions([describe_interruption(NEVER)])
    assert list(shown.values())[1:] == ["a third", "spot-1 (spot)", "crash", "9.0 s", "never", "2.0 s", "2.0 s"]
    (shown,) = show_interruptions([describe_interruption(NOTICED)])
    assert list(shown.values())[1:4] == ["another", "unknown", "with notice"]


def test_the_latest_interruptions_are_shown_first_and_no_more_than_people_read() -> None:
    lost = [describe_interruption(replace(LOST, run=f"run {n}", when=n * 60)) for n in range(MAX_SHOWN + 1)]
    shown = show_interruptions(lost)
    assert [each["run"] for each in shown] == [f"run {n}" for n in range(MAX_SHOWN, 0, -1)]
    assert f"## The latest {MAX_SHOWN} of {MAX_SHOWN + 1} interruptions" in write_page([week()], lost, [], "")


def test_the_table_of_the_ui_has_every_column_and_says_what_it_means() -> None:
    table = make_table(show_weeks([week(LOST)]))
    (record,) = table.records
    assert record.data["interruptions"] == "1"
    meanings = {column.name: column.description for column in table.schema.columns}
    assert list(meanings) == list(record.data)
    assert meanings["never ran again"] == "Losses after which no step has started so far."
    assert make_table([]).records == [], "without an interruption there is a table without rows"


def test_the_text_has_the_same_figures_as_the_table_in_lines_that_markdown_reads() -> None:
    rows = [week(LOST, NEVER)]
    page = write_page(rows, [describe_interruption(NEVER)], [], "").splitlines()
    (shown,) = show_weeks(rows)
    assert page[:3] == [
        f"| {' | '.join(shown)} |",
        "|" + " --- |" * len(shown),
        f"| {' | '.join(shown.values())} |",
    ]
    assert page[-1].startswith("| 1970-01-01T00:00:00+00:00 | a third | spot-1 (spot) | crash | ")


def test_damage_and_its_absence_are_both_reported_in_words() -> None:
    assert "none: all 3 are whole" in write_page([], [], [], "all 3 are whole")
    page = write_page([], [], ["number 1: it was changed"], "2 of 3 are whole")
    assert "- number 1: it was changed" in page
    assert "whole" not in page.partition("## Damage")[2]
