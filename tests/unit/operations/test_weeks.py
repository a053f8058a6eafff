"""A week's figures decide whether spot nodes are worth it: what never recovered or was damaged must not drop out."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from credit_assets.operations.weeks import Promoted, by_week, monday, mondays, page, record, totals
from credit_assets.settings import Prices
from resources.history.attempts import Worked
from tests.support import interruption as made_up

NONE = Prices()
WEDNESDAY = datetime(2026, 11, 18, 12, tzinfo=UTC).timestamp()
LAST_WEEK = WEDNESDAY - 7 * 24 * 3600
LOST = replace(made_up.LOST, when=WEDNESDAY)
NOTICED = replace(LOST, run="another", notice=True, detected_after=0, running_again_after=6, work_lost=1, start_up=4)
NEVER = replace(LOST, run="a third", crash=True, running_again_after=None, start_up=0)
AN_HOUR = Worked(WEDNESDAY, 3591, spot=True)


def test_a_quiet_week_has_a_row_that_says_nothing_happened() -> None:
    (quiet,) = by_week([date(2026, 11, 16)], [], [], [], NONE)
    assert quiet["week"] == "2026-11-16"
    assert (quiet["interruptions"], quiet["not_running_again"], quiet["damaged"]) == (0, 0, 0)
    assert quiet["waste_percent"] is None, "no work is not no waste"
    assert "| 2026-11-16 | 0 | 0 | 0 | 0 | 0 | – | – | – | – | 0.0 s | – | 0 | 0 | – | – |" in page([quiet], [], [])


def test_losses_are_counted_by_kind_and_by_how_soon_the_work_went_on() -> None:
    row = totals([LOST, NOTICED], [AN_HOUR], [], NONE)
    assert (row["interruptions"], row["with_notice"], row["crashes"], row["on_spot"]) == (2, 1, 0, 2)
    assert (row["running_again_p50"], row["running_again_p95"]) == (6, 15)
    assert row["noticed_p50"] == 9, "what came with notice was not found"
    assert (row["work_lost_seconds"], row["start_up_seconds"]) == (3, 9)
    assert row["worker_seconds"] == 3600
    assert row["waste_percent"] == pytest.approx(100 * 12 / 3600, abs=0.001)


def test_a_run_that_never_ran_again_is_counted_as_worse_than_any() -> None:
    row = totals([LOST, NEVER], [AN_HOUR], [], NONE)
    assert (row["crashes"], row["not_running_again"]) == (1, 1)
    assert (row["running_again_p50"], row["running_again_p95"]) == (15, None)
    line = page([{"week": "all"} | row], [record(LOST), record(NEVER)], [])
    assert "| 15.0 s | never |" in line
    assert "| a third | spot-1 (spot) | crash | 9.0 s | never | 2.0 s | 2.0 s |" in line


def test_spot_is_compared_with_on_demand_at_the_prices_given_and_at_none_without() -> None:
    row = totals([LOST], [AN_HOUR, Worked(WEDNESDAY, 3600, spot=None)], [], Prices(on_demand=3.6, spot=0.36))
    assert row["cost"] == pytest.approx((3591 + 5) / 3600 * 0.36 + 3.6), "what is not known to be spot is on demand"
    assert row["cost_on_demand"] == pytest.approx((3591 + 5 + 3600 - 7) / 3600 * 3.6), "nothing would have been lost"
    without = totals([LOST], [AN_HOUR], [], NONE)
    assert (without["cost"], without["cost_on_demand"]) == (None, None)


def test_every_figure_is_in_the_week_that_it_happened_in() -> None:
    weeks = mondays(WEDNESDAY, 2)
    assert weeks == [date(2026, 11, 9), date(2026, 11, 16)]
    promoted = [Promoted(2, WEDNESDAY), Promoted(1, LAST_WEEK, "it was changed")]
    before, now = by_week(weeks, [LOST, replace(NEVER, when=LAST_WEEK)], [AN_HOUR], promoted, NONE)
    assert (before["interruptions"], before["crashes"], before["runs"], before["damaged"]) == (1, 1, 0, 1)
    assert (now["interruptions"], now["crashes"], now["runs"], now["damaged"]) == (1, 0, 1, 0)


def test_a_week_begins_on_monday_at_midnight_utc() -> None:
    midnight = datetime(2026, 11, 16, tzinfo=UTC).timestamp()
    assert monday(midnight) == date(2026, 11, 16)
    assert monday(midnight - 1) == date(2026, 11, 9)


def test_damage_is_said_in_words_and_its_absence_too() -> None:
    assert "none: every promoted set is whole" in page([], [], [])
    said = page([], [], ["number 1: it was changed"])
    assert "- number 1: it was changed" in said
    assert "whole" not in said
