"""A sensor that asks too often trains for nothing all day; one that asks too seldom serves a stale model, unnoticed."""

import json

import dagster as dg
import pytest

from credit_assets.loans.table import Arrivals
from credit_assets.settings.limits import Refresh
from sensors.new_loans import CursorError, compute_threshold, decide, new_loans, read_cursor


@pytest.mark.parametrize(
    ("count", "share", "rows", "enough"),
    [
        (1_000, 0.05, 0, 1_000),  # no dataset yet
        (1_000, 0.05, 20_000, 1_000),  # both the same
        (1_000, 0.05, 20_001, 1_001),  # the share counts, rounded up
        (100, 0.07, 10_000, 700),  # 0.07 * 10_000 is a little more than 700 in binary
        (1, 0.0, 1_000_000, 1),
        (10, 1.0, 30, 30),
    ],
)
def test_enough_is_the_greater_of_the_count_and_the_share(count: int, share: float, rows: int, enough: int) -> None:
    assert compute_threshold(Refresh(new_loans=count, new_loans_share=share), rows) == enough


def test_one_loan_too_few_starts_no_refresh_and_reports_how_many_there_are() -> None:
    decision = decide(Arrivals(1_499, 9_999), newest_id=9_999, watermark=8_500, enough=1_500, table="loans")
    assert isinstance(decision, dg.SkipReason)
    assert decision.skip_message == "1,499 of 1,500 loans have arrived since id 8500"


def test_exactly_enough_loans_start_one_refresh_and_all_of_them_are_remembered() -> None:
    decision = decide(Arrivals(1_500, 10_000), newest_id=12_345, watermark=8_500, enough=1_500, table="loans")
    assert isinstance(decision, dg.SensorResult)
    assert [request.run_key for request in decision.run_requests or []] == ["loans-8500-10000"]
    assert read_cursor(decision.cursor, "loans") == 12_345


def test_two_daemons_that_evaluate_at_different_moments_start_one_run() -> None:
    earlier = decide(Arrivals(10, 110), newest_id=111, watermark=100, enough=10, table="loans")
    later = decide(Arrivals(10, 110), newest_id=190, watermark=100, enough=10, table="loans")
    assert isinstance(earlier, dg.SensorResult)
    assert isinstance(later, dg.SensorResult)
    assert earlier.run_requests == later.run_requests
    assert earlier.cursor != later.cursor


@pytest.mark.parametrize("cursor", [None, ""])
def test_without_a_cursor_nothing_was_asked_for(cursor: str | None) -> None:
    assert read_cursor(cursor, "loans") == 0


@pytest.mark.parametrize(
    "cursor",
    [
        "7",
        "seven",
        "{}",
        "[]",
        "null",
        '{"asked_up_to": "7", "table": "loans"}',
        '{"asked_up_to": 7}',
        '{"asked_up_to": true, "table": "loans"}',
    ],
)
def test_a_cursor_that_somebody_else_wrote_is_unreadable_and_not_taken_for_zero(cursor: str) -> None:
    with pytest.raises(CursorError, match="asked_up_to"):
        read_cursor(cursor, "loans")
    assert read_cursor(json.dumps({"asked_up_to": 7, "table": "loans"}), "loans") == 7
    assert read_cursor(json.dumps({"asked_up_to": 7, "table": "german_credit"}), "loans") == 0


def test_it_is_evaluated_once_a_minute_and_is_on_by_default() -> None:
    assert new_loans.minimum_interval_seconds == 60
    assert new_loans.default_status is dg.DefaultSensorStatus.RUNNING
    assert new_loans.job_name == "refresh"
