"""Real ticks on a real instance and database: what the pure rules decide is what Dagster is told, once.

A tick that asks twice trains twice; one that takes a silent database for an empty table never asks.
"""

import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import dagster as dg
import psycopg2
import pytest

from resources.services.database import Database
from sensors.new_loans import LOAN_DATASET, read_cursor


def keys(tick: Any) -> list[str]:
    return [request.run_key for request in tick.run_requests]


def test_the_first_refresh_starts_at_exactly_the_threshold_and_once(
    lending: Any, empty_instance: dg.DagsterInstance
) -> None:
    lending.arrive(9)
    short = lending.tick(empty_instance, None)
    assert (keys(short), short.cursor) == ([], None)
    assert short.skip_message == "9 of 10 loans have arrived since id 0"
    lending.arrive(1)
    enough = lending.tick(empty_instance, short.cursor)
    assert keys(enough) == ["loans-0-10"]
    again = lending.tick(empty_instance, enough.cursor)
    assert (keys(again), again.cursor) == ([], enough.cursor)
    # A second daemon would evaluate the same tick again.
    assert keys(lending.tick(empty_instance, short.cursor)) == keys(enough)


def test_many_waiting_loans_start_one_refresh_even_if_it_fails(
    lending: Any, empty_instance: dg.DagsterInstance
) -> None:
    lending.arrive(45)
    asked = lending.tick(empty_instance, None)
    assert keys(asked) == ["loans-0-10"]
    assert not lending.materialize(empty_instance).success
    again = lending.tick(empty_instance, asked.cursor)
    assert (keys(again), again.cursor) == ([], asked.cursor)
    lending.arrive(9)
    assert keys(lending.tick(empty_instance, asked.cursor)) == []
    lending.arrive(1)
    assert keys(lending.tick(empty_instance, asked.cursor)) == ["loans-45-55"]


def test_the_next_refresh_counts_from_the_dataset_and_a_share_of_its_rows(
    lending: Any, empty_instance: dg.DagsterInstance
) -> None:
    lending.arrive(60)
    assert lending.materialize(empty_instance).success
    lending.arrive(14)
    assert lending.tick(empty_instance, None).skip_message == "14 of 15 loans have arrived since id 60"
    lending.arrive(1)
    assert keys(lending.tick(empty_instance, '{"asked_up_to": 10, "table": "loans"}')) == ["loans-60-75"]


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
    assert "how many loans have arrived is not known" in tick.skip_message
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
    assert "QueryCanceled" in locked.skip_message
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
    assert read_cursor(lending.tick(empty_instance, "garbage").cursor, "loans") == 10
