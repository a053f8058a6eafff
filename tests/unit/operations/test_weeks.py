"""A week's figures decide whether spot nodes are worth it: a loss that was never made good must not drop out."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from credit_assets.operations.audit import Promoted
from credit_assets.operations.weeks import describe_interruption, find_monday, list_mondays, sum_up, sum_up_weeks
from credit_assets.settings.limits import Prices
from resources.history.attempt import InterruptionKind
from resources.history.run_groups import WorkerTime
from tests.support import interruption

NONE = Prices()
WEDNESDAY = datetime(2026, 11, 18, 12, tzinfo=UTC).timestamp()
LAST_WEEK = WEDNESDAY - 7 * 24 * 3600
LOST = replace(interruption.LOST, when=WEDNESDAY)
NOTICED = replace(
    LOST,
    run="another",
    kind=InterruptionKind.NOTICE,
    detected_after=0,
    running_again_after=6,
    work_lost=1,
    start_up=4,
)
NEVER = replace(LOST, run="a third", kind=InterruptionKind.CRASH, running_again_after=None, start_up=0)
AN_HOUR = WorkerTime(WEDNESDAY, 3591, spot=True)


def test_losses_are_counted_by_kind_and_by_the_time_until_work_continues() -> None:
    row = sum_up([LOST, NOTICED], [AN_HOUR], [], NONE)
    assert (row["interruptions"], row["with_notice"], row["crashes"], row["on_spot"]) == (2, 1, 0, 2)
    assert (row["running_again_p50"], row["running_again_p95"]) == (6, 15)
    assert row["noticed_p50"] == 9, "a loss with notice was not detected"
    assert (row["work_lost_seconds"], row["start_up_seconds"]) == (3, 9)
    assert row["worker_seconds"] == 3600
    assert row["waste_percent"] == pytest.approx(100 * 12 / 3600, abs=0.001)


def test_a_run_that_never_ran_again_is_worse_than_any_time() -> None:
    row = sum_up([LOST, NEVER], [AN_HOUR], [], NONE)
    assert (row["crashes"], row["not_running_again"]) == (1, 1)
    assert (row["running_again_p50"], row["running_again_p95"]) == (15, None)


def test_spot_is_compared_with_on_demand_only_if_there_are_prices() -> None:
    row = sum_up([LOST], [AN_HOUR, WorkerTime(WEDNESDAY, 3600, spot=None)], [], Prices(on_demand=3.6, spot=0.36))
    assert row["cost"] == pytest.approx((3591 + 5) / 3600 * 0.36 + 3.6), "a node of unknown kind is on demand"
    assert row["cost_on_demand"] == pytest.approx((3591 + 5 + 3600 - 7) / 3600 * 3.6), "nothing would have been lost"
    without = sum_up([LOST], [AN_HOUR], [], NONE)
    assert (without["cost"], without["cost_on_demand"]) == (None, None)


def test_every_figure_stands_in_its_own_week_and_the_last_row_counts_all() -> None:
    weeks = list_mondays(WEDNESDAY, 2)
    assert weeks == [date(2026, 11, 9), date(2026, 11, 16)]
    promoted = [Promoted(2, WEDNESDAY), Promoted(1, LAST_WEEK, "it was changed"), Promoted(0, 0)]
    lost = [LOST, replace(NEVER, when=LAST_WEEK)]
    before, now, all_weeks = sum_up_weeks(weeks, lost, [AN_HOUR], promoted, NONE)
    assert (before["interruptions"], before["crashes"], before["runs"], before["damaged"]) == (1, 1, 0, 1)
    assert (now["interruptions"], now["crashes"], now["runs"], now["damaged"]) == (1, 0, 1, 0)
    assert (all_weeks["week"], all_weeks["interruptions"], all_weeks["promoted"]) == ("all", 2, 3)


def test_a_quiet_week_has_a_row_and_no_waste() -> None:
    quiet, _ = sum_up_weeks([date(2026, 11, 16)], [], [], [], NONE)
    assert quiet["week"] == "2026-11-16"
    assert (quiet["interruptions"], quiet["not_running_again"], quiet["damaged"]) == (0, 0, 0)
    assert quiet["waste_percent"] is None, "no work is not no waste"


def test_a_week_begins_on_monday_at_midnight_utc() -> None:
    midnight = datetime(2026, 11, 16, tzinfo=UTC).timestamp()
    assert find_monday(midnight) == date(2026, 11, 16)
    assert find_monday(midnight - 1) == date(2026, 11, 9)


def test_the_json_of_an_interruption_has_the_fields_that_its_readers_know() -> None:
    assert describe_interruption(NEVER) == {
        "run": "a third",
        "root_run": "a run",
        "when": "2026-11-18T12:00:00+00:00",
        "node": "spot-1",
        "spot": True,
        "notice": False,
        "crash": True,
        "detected_after": 9,
        "running_again_after": None,
        "work_lost": 2,
        "start_up": 0,
        "cost": 2,
    }
    assert describe_interruption(NOTICED)["notice"] is True
