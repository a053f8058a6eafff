"""A sensor that asks too often trains for nothing all day; one that asks too seldom serves a stale model, unnoticed."""

import json

import dagster as dg
import pytest

from credit_assets.loans.census import Difference
from credit_assets.settings.limits import Refresh
from sensors.enough_loans import (
    REPEAT_SECONDS,
    CursorError,
    Finding,
    Memory,
    Requested,
    Rest,
    compute_threshold,
    describe,
    is_due,
    is_resting,
    make_rest,
    read_cursor,
    wants_refresh,
)
from sensors.new_loans import new_loans

NOW = 1_795_000_000.0
REQUESTED = Requested("key", NOW, dataset=7, missing=20, gone=0)


def find(
    arrived: int = 0, lacking: int = 0, gone: int = 0, changed: int | None = 0, future: int = 0, dataset: int = 7
) -> Finding:
    return Finding(dataset, Difference(lacking, gone, changed), arrived, future, loans=100)


def wants(finding: Finding, requested: Requested | None, *, now: float = NOW, under_way: bool = False) -> bool:
    return wants_refresh(finding, 20, requested, now, lambda key: under_way and key == "key")


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


def test_loans_that_arrived_and_loans_that_came_late_count_together() -> None:
    assert not wants(find(arrived=12, lacking=7), None)
    assert wants(find(arrived=12, lacking=8), None)


def test_loans_of_the_future_and_changed_loans_start_no_refresh() -> None:
    assert not wants(find(arrived=19, future=5_000, changed=500), None)


def test_a_dataset_of_loans_that_are_gone_is_refreshed_but_not_from_an_empty_table() -> None:
    assert is_due(find(gone=20), 20)
    assert not is_due(Finding(7, Difference(0, 5_000, 0), arrived=0, future=0, loans=0), 20)


def test_the_same_loans_start_no_second_refresh_while_the_first_one_is_under_way() -> None:
    assert not wants(find(arrived=39), REQUESTED)
    assert not wants(find(arrived=39), REQUESTED, now=NOW + 9 * REPEAT_SECONDS, under_way=True)
    assert wants(find(arrived=40), REQUESTED, under_way=True)
    assert wants(find(arrived=20, gone=20), REQUESTED)


def test_loans_whose_refresh_failed_stay_counted_and_start_another_after_a_day() -> None:
    assert not wants(find(arrived=20), REQUESTED, now=NOW + REPEAT_SECONDS - 1)
    assert wants(find(arrived=20), REQUESTED, now=NOW + REPEAT_SECONDS)
    assert "20 of 20 loans are in no dataset" in describe(find(arrived=20), 20, "created_at", REQUESTED)


def test_a_request_of_a_clock_that_was_wrong_by_years_blocks_nothing() -> None:
    assert wants(find(arrived=20), REQUESTED, now=NOW - 365 * 24 * 3_600)


def test_after_a_new_dataset_only_what_it_lacks_counts() -> None:
    assert wants(find(arrived=20, dataset=8), REQUESTED)
    assert not wants(find(arrived=19, dataset=8), REQUESTED)
    assert "requested" not in describe(find(arrived=19, dataset=8), 20, "created_at", REQUESTED)


def test_a_skip_says_everything_that_was_found() -> None:
    assert describe(find(arrived=3), 1_000, "created_at", None) == "3 of 1,000 loans are in no dataset"
    finding = Finding(
        7, Difference(12, 1_300, 4), arrived=400, future=3, loans=9_000, limit_of_knowledge="only rows were compared"
    )
    assert describe(finding, 1_000, "booked", REQUESTED).split("; ") == [
        "at least 412 of 1,000 loans are in no dataset",
        "12 of them came late: the dataset was read after their booked, without them",
        (
            "3 more are left out until their time, because their booked is later than now. If that is wrong, correct "
            "the column or its time zone"
        ),
        (
            "at least 1,300 of the dataset's loans are no longer in the table, and new ones can hide behind them "
            "(1,000 start a refresh)"
        ),
        "at least 4 of the dataset's loans have changed since",
        "only rows were compared",
        "a refresh for 20 was requested at 2026-11-18T11:06:40+00:00, and no dataset has come since",
    ]


def test_an_estimate_is_called_one() -> None:
    finding = Finding(7, Difference(1_500, 2_000, 0, is_estimate=True), arrived=0, future=0, loans=1_500)
    assert describe(finding, 3_000, "created_at", None).startswith("about 1,500 of 3,000 loans are in no dataset")


@pytest.mark.parametrize("cursor", [None, ""])
def test_without_a_cursor_nothing_was_requested(cursor: str | None) -> None:
    assert read_cursor(cursor, "loans") == Memory("loans")


def test_the_cursor_of_release_0_1_is_read_and_says_nothing_about_a_dataset() -> None:
    assert read_cursor('{"asked_up_to": 7, "table": "loans"}', "loans") == Memory("loans")


def test_a_cursor_is_read_as_it_was_written_and_only_for_its_table() -> None:
    memory = Memory("loans", REQUESTED, Rest(7, NOW, NOW + 100, "3 of 1,000"))
    assert read_cursor(memory.to_cursor(), "loans") == memory
    assert read_cursor(memory.to_cursor(), "german_credit") == Memory("german_credit")


@pytest.mark.parametrize(
    "cursor",
    [
        "7",
        "seven",
        "{}",
        "[]",
        "null",
        '{"table": "loans"}',
        '{"table": "loans", "requested": 7, "rest": null}',
        '{"table": "loans", "requested": {"key": "a"}, "rest": null}',
        json.dumps(
            {
                "table": "loans",
                "requested": {"key": "a", "at": "b", "dataset": 1, "missing": 1, "gone": 1},
                "rest": None,
            }
        ),
        json.dumps(
            {
                "table": "loans",
                "requested": {"key": "a", "at": 1, "dataset": 1, "missing": "1", "gone": 1},
                "rest": None,
            }
        ),
    ],
)
def test_a_cursor_that_somebody_else_wrote_is_unreadable_and_not_taken_for_none(cursor: str) -> None:
    with pytest.raises(CursorError, match="requested"):
        read_cursor(cursor, "loans")


def test_a_table_that_is_slow_to_count_rests_for_a_hundred_times_as_long() -> None:
    assert make_rest(7, NOW, 0.5, 60, "why") is None
    rest = make_rest(7, NOW, 2.0, 60, "why")
    assert rest == Rest(7, NOW, NOW + 200, "why")
    assert make_rest(7, NOW, 20.0, 60, "why") == Rest(7, NOW, NOW + 600, "why")
    memory = Memory("loans", None, rest)
    assert is_resting(memory, 7, NOW + 199)
    assert not is_resting(memory, 7, NOW + 200)


def test_no_rest_outlasts_a_new_dataset_or_a_clock_that_was_set_back() -> None:
    memory = Memory("loans", None, Rest(7, NOW, NOW + 200, "why"))
    assert not is_resting(memory, 8, NOW + 1)
    assert not is_resting(memory, 7, NOW - 1)
    assert not is_resting(Memory("loans"), 7, NOW)


def test_it_is_evaluated_once_a_minute_and_is_on_by_default() -> None:
    assert new_loans.minimum_interval_seconds == 60
    assert new_loans.default_status is dg.DefaultSensorStatus.RUNNING
    assert new_loans.job_name == "refresh"
