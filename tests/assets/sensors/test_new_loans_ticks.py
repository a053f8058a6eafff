"""Real ticks on a real instance and database: what the pure rules decide is what Dagster is told, once.

A tick that asks twice trains twice; one that takes a silent database for an empty table never asks.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import dagster as dg
import psycopg2
import pytest

from resources.history.tags import RUN_KEY
from resources.services.database import Database
from sensors.enough_loans import REPEAT_SECONDS, read_cursor
from sensors.new_loans import LOAN_DATASET


@dg.job
def refresh_of_nothing() -> None:
    """A job whose runs stand for refreshes that are under way."""


def keys(tick: Any) -> list[str]:
    return [request.run_key for request in tick.run_requests]


def test_the_first_refresh_starts_at_exactly_the_threshold_and_once(
    lending: Any, empty_instance: dg.DagsterInstance
) -> None:
    lending.arrive(9)
    short = lending.tick(empty_instance, None)
    assert (keys(short), short.cursor) == ([], None)
    assert short.skip_message == "9 of 10 loans are in no dataset"
    lending.arrive(1)
    enough = lending.tick(empty_instance, short.cursor)
    assert len(keys(enough)) == 1
    again = lending.tick(empty_instance, enough.cursor)
    assert (keys(again), again.cursor) == ([], enough.cursor)
    assert "10 of 10 loans are in no dataset; a refresh for 10 was requested at" in again.skip_message
    # A second daemon evaluates the same tick again, and more loans have arrived since.
    lending.arrive(5)
    assert keys(lending.tick(empty_instance, short.cursor)) == keys(enough)


def test_many_waiting_loans_start_one_refresh_and_stay_counted_when_it_fails(
    lending: Any, empty_instance: dg.DagsterInstance
) -> None:
    lending.arrive(45)
    asked = lending.tick(empty_instance, None)
    assert len(keys(asked)) == 1
    assert not lending.materialize(empty_instance).success
    again = lending.tick(empty_instance, asked.cursor)
    assert (keys(again), again.cursor) == ([], asked.cursor)
    assert again.skip_message.startswith("45 of 10 loans are in no dataset")
    lending.arrive(9)
    assert keys(lending.tick(empty_instance, asked.cursor)) == []
    lending.arrive(1)
    second = keys(lending.tick(empty_instance, asked.cursor))
    assert len(second) == 1
    assert second != keys(asked)


def test_the_next_refresh_counts_from_the_dataset_and_a_share_of_its_rows(
    lending: Any, empty_instance: dg.DagsterInstance
) -> None:
    lending.arrive(60)
    assert lending.materialize(empty_instance).success
    lending.arrive(14)
    assert lending.tick(empty_instance, None).skip_message == "14 of 15 loans are in no dataset"
    lending.arrive(1)
    assert len(keys(lending.tick(empty_instance, '{"asked_up_to": 10, "table": "loans"}'))) == 1


def test_a_refresh_that_is_under_way_is_not_requested_again_after_a_day(
    lending: Any, empty_instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    lending.arrive(12)
    asked = lending.tick(empty_instance, None)
    (key,) = keys(asked)
    run = empty_instance.create_run_for_job(refresh_of_nothing, tags={RUN_KEY: key})
    later = time.time() + 2 * REPEAT_SECONDS
    monkeypatch.setattr("sensors.new_loans.time.time", lambda: later)
    assert keys(lending.tick(empty_instance, asked.cursor)) == []
    empty_instance.report_run_failed(run)
    assert len(keys(lending.tick(empty_instance, asked.cursor))) == 1


def test_a_dataset_of_an_earlier_release_is_compared_by_its_rows_and_the_skip_says_so(
    lending: Any, empty_instance: dg.DagsterInstance
) -> None:
    lending.arrive(60)
    old = {"dagster/row_count": 60, "table": "loans", "as_of": "2100-01-01T00:00:00+00:00", "greatest_id": 60}
    empty_instance.report_runless_asset_event(dg.AssetMaterialization(LOAN_DATASET, metadata=old))
    lending.arrive(14)
    tick = lending.tick(empty_instance, '{"asked_up_to": 60, "table": "loans"}')
    assert keys(tick) == []
    assert tick.skip_message == (
        "14 of 15 loans are in no dataset; an earlier release made the dataset, so only numbers of rows were compared"
    )
    lending.arrive(1)
    assert len(keys(lending.tick(empty_instance, None))) == 1


def test_a_table_that_is_slow_to_count_is_not_counted_in_every_tick(
    lending: Any, empty_instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensors.new_loans.INTERVAL_SECONDS", 0)
    lending.arrive(9)
    first = lending.tick(empty_instance, None)
    monkeypatch.setattr("sensors.enough_loans.REST_FACTOR", 1e9)
    first = lending.tick(empty_instance, first.cursor)
    lending.arrive(1)
    resting = lending.tick(empty_instance, first.cursor)
    assert (keys(resting), resting.cursor) == ([], first.cursor)
    assert resting.skip_message.startswith("9 of 10 loans are in no dataset (counted ")


@pytest.fixture
def mute_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.mark.parametrize("cursor", [None, '{"asked_up_to": 7, "table": "loans"}'])
def test_a_database_that_does_not_answer_is_a_skip_with_its_reason_and_not_an_empty_table(
    lending: Any, empty_instance: dg.DagsterInstance, mute_port: int, cursor: str | None
) -> None:
    lending.arrive(100)
    database = Database(url=f"postgresql://user:secret@127.0.0.1:{mute_port}/loans", connect_timeout_seconds=2)
    tick = lending.tick(empty_instance, cursor, database=database)
    assert (keys(tick), tick.cursor) == ([], cursor)
    assert "how many loans are in no dataset is not known" in tick.skip_message
    assert "PLATFORM_DATABASE_URL" in tick.skip_message
    assert "secret" not in tick.skip_message
    assert keys(lending.tick(empty_instance, cursor)) != []


def test_a_table_that_is_missing_or_locked_is_a_skip_with_its_reason(
    lending: Any, empty_instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensors.new_loans.STATEMENT_TIMEOUT", "100ms")
    lending.arrive(100)
    with closing(psycopg2.connect(lending.url)) as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLE loans IN ACCESS EXCLUSIVE MODE")
        locked = lending.tick(empty_instance, None)
    assert (keys(locked), locked.cursor) == ([], None)
    assert "to count loans takes more than 100ms, or the table is locked" in locked.skip_message
    lending.execute("DROP TABLE loans")
    missing = lending.tick(empty_instance, None)
    assert (keys(missing), missing.cursor) == ([], None)
    assert "table loans is not in the database" in missing.skip_message


def test_wrong_settings_are_a_skip_that_names_the_key(lending: Any, empty_instance: dg.DagsterInstance) -> None:
    lending.arrive(100)
    settings = lending.settings_path.read_text()
    lending.settings_path.write_text(settings.replace("new_loans_share", "new_loan_share"))
    tick = lending.tick(empty_instance, None)
    assert (keys(tick), tick.cursor) == ([], None)
    assert "refresh.new_loan_share is not a setting" in tick.skip_message


def test_a_dataset_that_was_reported_from_outside_is_not_taken_for_an_empty_one(
    lending: Any, empty_instance: dg.DagsterInstance
) -> None:
    lending.arrive(100)
    empty_instance.report_runless_asset_event(
        dg.AssetMaterialization(LOAN_DATASET, metadata={"dagster/row_count": 100})
    )
    tick = lending.tick(empty_instance, None)
    assert keys(tick) == []
    assert "reported from outside" in tick.skip_message


def test_an_unreadable_cursor_stops_nothing_and_is_replaced(
    lending: Any, empty_instance: dg.DagsterInstance, capsys: pytest.CaptureFixture[str]
) -> None:
    lending.arrive(9)
    short = lending.tick(empty_instance, "garbage")
    assert (keys(short), short.cursor) == ([], "garbage")
    assert "the cursor can't be read" in capsys.readouterr().err
    lending.arrive(1)
    requested = read_cursor(lending.tick(empty_instance, "garbage").cursor, "loans").requested
    assert requested is not None
    assert requested.missing == 10
