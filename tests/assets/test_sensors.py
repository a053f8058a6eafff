"""Real ticks on a real instance and database: what the pure rules decide is what Dagster is told, once.

A tick that asks twice trains twice; one that takes a silent database for an empty table never asks; an alert that is
lost or repeated is one that people stop reading.
"""

import json
import logging
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import dagster as dg
import psycopg2
import pytest

from credit_assets.dataset import loan_dataset
from credit_assets.seed import create_table_sql
from credit_assets.settings import SettingsFile, load_settings
from resources.checkpoints import Checkpoints
from resources.database import Database
from resources.io_manager import CheckpointIOManager
from sensors.failures import REPORTED, failures
from sensors.new_loans import LOAN_DATASET, new_loans, read_cursor
from sensors.refresh_schedule import next_refresh_day, refresh_schedule

SETTINGS = """
[table]
name = "loans"
[target]
column = "default_status"
[features]
income = { type = "number" }
[limits]
minimum_rows = 50
[refresh]
new_loans = 10
new_loans_share = 0.25
"""


class Lending:
    """The loans table of one test, and the resources that name it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.settings_path = url, folder / "settings.toml"
        self.settings_path.write_text(SETTINGS)
        self.execute(create_table_sql(load_settings(self.settings_path)))
        checkpoints = Checkpoints(store_uri=(folder / "store").as_uri())
        self.resources: dict[str, Any] = {
            "settings": SettingsFile(path=str(self.settings_path)),
            "database": Database(url=url),
            "checkpoints": checkpoints,
            "checkpoint_io": CheckpointIOManager(checkpoints=checkpoints),
        }

    def execute(self, statement: str) -> None:
        with closing(psycopg2.connect(self.url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement)

    def arrive(self, loans: int) -> None:
        self.execute(
            f"INSERT INTO loans (income, default_status) SELECT n, n % 2 FROM generate_series(1, {loans}) AS n"
        )

    def materialize(self, instance: dg.DagsterInstance, **tags: str) -> dg.ExecuteInProcessResult:
        return dg.materialize(
            [loan_dataset], instance=instance, resources=self.resources, tags=tags, raise_on_error=False
        )

    def tick(self, instance: dg.DagsterInstance, cursor: str | None, **other: Any) -> Any:
        """What the daemon gets from one evaluation of `new_loans`."""
        named = {name: {**self.resources, **other}[name] for name in ("settings", "database")}
        return new_loans.evaluate_tick(dg.build_sensor_context(instance=instance, cursor=cursor, resources=named))


@pytest.fixture
def lending(database_url: str, tmp_path: Path) -> Lending:
    return Lending(database_url, tmp_path)


@pytest.fixture
def empty() -> Iterator[dg.DagsterInstance]:
    """An instance that never saw a dataset."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def keys(tick: Any) -> list[str]:
    return [request.run_key for request in tick.run_requests]


def test_the_first_refresh_is_asked_for_at_exactly_the_threshold_and_once(
    lending: Lending, empty: dg.DagsterInstance
) -> None:
    lending.arrive(9)
    short = lending.tick(empty, None)
    assert (keys(short), short.cursor) == ([], None)
    assert short.skip_message == "9 of 10 loans have arrived since id 0"
    lending.arrive(1)
    enough = lending.tick(empty, short.cursor)
    assert keys(enough) == ["loans-0-10"]
    again = lending.tick(empty, enough.cursor)
    assert (keys(again), again.cursor) == ([], enough.cursor)
    assert keys(lending.tick(empty, short.cursor)) == keys(enough)  # as a second daemon would, of the same tick


def test_however_many_loans_have_piled_up_they_are_asked_for_once_even_if_the_run_fails(
    lending: Lending, empty: dg.DagsterInstance
) -> None:
    lending.arrive(45)
    asked = lending.tick(empty, None)
    assert keys(asked) == ["loans-0-10"]
    assert not lending.materialize(empty).success
    again = lending.tick(empty, asked.cursor)
    assert (keys(again), again.cursor) == ([], asked.cursor)
    lending.arrive(9)
    assert keys(lending.tick(empty, asked.cursor)) == []
    lending.arrive(1)
    assert keys(lending.tick(empty, asked.cursor)) == ["loans-45-55"]


def test_the_next_refresh_counts_from_the_dataset_and_a_share_of_its_rows(
    lending: Lending, empty: dg.DagsterInstance
) -> None:
    lending.arrive(60)
    assert lending.materialize(empty).success
    lending.arrive(14)
    assert lending.tick(empty, None).skip_message == "14 of 15 loans have arrived since id 60"
    lending.arrive(1)
    assert keys(lending.tick(empty, '{"asked_up_to": 10, "table": "loans"}')) == ["loans-60-75"]


@pytest.fixture
def mute_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.mark.parametrize("cursor", [None, '{"asked_up_to": 7, "table": "loans"}'])
def test_a_database_that_does_not_answer_is_a_skip_with_its_reason_and_not_an_empty_table(
    lending: Lending, empty: dg.DagsterInstance, mute_port: int, cursor: str | None
) -> None:
    lending.arrive(100)
    database = Database(url=f"postgresql://user:secret@127.0.0.1:{mute_port}/loans", connect_timeout_seconds=2)
    tick = lending.tick(empty, cursor, database=database)
    assert (keys(tick), tick.cursor) == ([], cursor)
    assert "how many loans have arrived is not known" in tick.skip_message
    assert "LOANS_DATABASE_URL" in tick.skip_message
    assert "secret" not in tick.skip_message
    assert keys(lending.tick(empty, cursor)) != []


def test_a_table_that_is_missing_or_locked_is_a_skip_with_its_reason(
    lending: Lending, empty: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensors.new_loans.PATIENCE", "100ms")
    lending.arrive(100)
    with closing(psycopg2.connect(lending.url)) as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLE loans IN ACCESS EXCLUSIVE MODE")
        locked = lending.tick(empty, None)
    assert (keys(locked), locked.cursor) == ([], None)
    assert "QueryCanceled" in locked.skip_message
    lending.execute("DROP TABLE loans")
    missing = lending.tick(empty, None)
    assert (keys(missing), missing.cursor) == ([], None)
    assert "table loans is not in the database" in missing.skip_message


def test_wrong_settings_are_a_skip_that_names_the_key(lending: Lending, empty: dg.DagsterInstance) -> None:
    lending.arrive(100)
    lending.settings_path.write_text(SETTINGS.replace("new_loans_share", "new_loan_share"))
    tick = lending.tick(empty, None)
    assert (keys(tick), tick.cursor) == ([], None)
    assert "refresh.new_loan_share is not a setting" in tick.skip_message


def test_a_dataset_that_was_reported_from_outside_is_not_taken_for_an_empty_one(
    lending: Lending, empty: dg.DagsterInstance
) -> None:
    lending.arrive(100)
    empty.report_runless_asset_event(dg.AssetMaterialization(LOAN_DATASET, metadata={"dagster/row_count": 100}))
    tick = lending.tick(empty, None)
    assert keys(tick) == []
    assert "reported from outside" in tick.skip_message


def test_a_cursor_that_somebody_else_wrote_stops_nothing_and_is_written_anew(
    lending: Lending, empty: dg.DagsterInstance, capsys: pytest.CaptureFixture[str]
) -> None:
    lending.arrive(9)
    short = lending.tick(empty, "garbage")
    assert (keys(short), short.cursor) == ([], "garbage")
    assert "the cursor can't be read" in capsys.readouterr().err
    lending.arrive(1)
    assert read_cursor(lending.tick(empty, "garbage").cursor, "loans") == 10


def test_the_schedule_s_ticks_ask_on_a_refresh_day_only_and_never_for_one_long_gone(empty: dg.DagsterInstance) -> None:
    def tick(day: Any) -> Any:
        due = datetime.combine(day, time(), UTC)
        return refresh_schedule.evaluate_tick(dg.build_schedule_context(instance=empty, scheduled_execution_time=due))

    coming = next_refresh_day(datetime.now(UTC).date())
    assert keys(tick(coming)) == [f"refresh-{coming}"]
    assert keys(tick(coming + timedelta(days=1))) == []
    late = tick(coming - timedelta(days=20))
    assert keys(late) == []
    assert "not caught up" in late.skip_message


class Webhook:
    """A server that keeps what it is told."""

    def __init__(self) -> None:
        self.received = received = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/a-secret-path"
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    server = Webhook()
    yield server
    server.close()


class Alerts:
    """The daemon's side of `failures`: ticks that hand their cursor on, and the lines that they log."""

    def __init__(self, instance: dg.DagsterInstance, caplog: pytest.LogCaptureFixture) -> None:
        self.instance, self.caplog = instance, caplog
        caplog.set_level(logging.INFO, "sensors.failures")
        self.cursor: str | None = None
        self.tick()

    def tick(self, cursor: str | None = None) -> Any:
        context = dg.build_sensor_context(instance=self.instance, cursor=cursor or self.cursor)
        data = failures.evaluate_tick(context)
        self.cursor = data.cursor
        return data

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(each.message) for each in self.caplog.records if each.name == "sensors.failures"]


@pytest.fixture
def alerts(instance: dg.DagsterInstance, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Alerts:
    monkeypatch.delenv("ALERT_WEBHOOK_URL", raising=False)
    monkeypatch.delenv("DAGSTER_UI_URL", raising=False)
    return Alerts(instance, caplog)


def test_a_failed_blocking_check_is_reported_once_with_what_why_and_where(
    lending: Lending,
    alerts: Alerts,
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ALERT_WEBHOOK_URL", webhook.url)
    monkeypatch.setenv("DAGSTER_UI_URL", "https://dagster.example/")
    before = alerts.cursor
    lending.arrive(30)
    run = lending.materialize(alerts.instance)
    assert not run.success
    capsys.readouterr()
    alerts.tick()
    (told,) = webhook.received
    why = "30 rows; expected at least 50 (limits.minimum_rows)"
    assert told["run_id"] == run.run_id
    assert told["link"] == f"https://dagster.example/runs/{run.run_id}"
    assert told["failed_checks"] == [{"asset": "loan_dataset", "check": "enough_rows", "description": why}]
    for part in (
        run.run_id,
        told["job"],
        told["link"],
        "step loan_dataset: Failure: ",
        f"enough_rows of loan_dataset: {why}",
    ):
        assert part in told["text"]
    assert alerts.lines == [{"event": "run_failed", **told}]
    assert told["text"].splitlines()[0] in capsys.readouterr().err  # the tick's own log

    alerts.tick()
    alerts.tick(cursor=before)  # the daemon died before it kept the cursor, or somebody reset it
    assert len(webhook.received) == len(alerts.lines) == 1


def test_without_a_webhook_the_report_is_in_the_log_and_nobody_is_called(
    lending: Lending, alerts: Alerts, webhook: Webhook
) -> None:
    lending.execute("DROP TABLE loans")
    run = lending.materialize(alerts.instance)
    tick = alerts.tick()
    assert [reaction.error for reaction in tick.dagster_run_reactions] == [None]
    (line,) = alerts.lines
    assert line["link"] == f"http://localhost:3000/runs/{run.run_id}"
    assert "step loan_dataset: LoansError: table loans is not in the database" in line["text"]
    assert line["failed_checks"] == []
    assert webhook.received == []


def test_a_webhook_that_is_down_fails_the_tick_and_neither_loses_nor_repeats_the_report(
    lending: Lending, alerts: Alerts, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERT_WEBHOOK_URL", webhook.url)
    webhook.close()
    run = lending.materialize(alerts.instance)
    tick = alerts.tick()
    (error,) = [reaction.error for reaction in tick.dagster_run_reactions]
    assert "the webhook was not told (ConnectionError): check ALERT_WEBHOOK_URL" in error.to_string()
    assert "a-secret-path" not in error.to_string() + alerts.caplog.text
    assert [line["run_id"] for line in alerts.lines] == [run.run_id]
    assert alerts.tick().dagster_run_reactions == []
    assert len(alerts.lines) == 1


def test_a_run_that_succeeds_is_not_reported(lending: Lending, alerts: Alerts) -> None:
    lending.arrive(60)
    assert lending.materialize(alerts.instance).success
    assert alerts.tick().dagster_run_reactions == []
    assert alerts.lines == []


def test_a_retry_is_reported_although_it_inherits_the_tags_of_the_run_that_was(
    lending: Lending, alerts: Alerts
) -> None:
    first = lending.materialize(alerts.instance)
    alerts.tick()
    reported = alerts.instance.get_run_by_id(first.run_id)
    assert reported is not None
    assert reported.tags[REPORTED] == first.run_id
    retry = lending.materialize(alerts.instance, **{REPORTED: first.run_id})
    alerts.tick()
    assert [line["run_id"] for line in alerts.lines] == [first.run_id, retry.run_id]


def test_what_another_library_says_about_a_value_is_in_no_report(alerts: Alerts) -> None:
    @dg.asset
    def trained_model() -> None:
        float("41 years, 12 Elm Street")

    dg.materialize([trained_model], instance=alerts.instance, raise_on_error=False)
    alerts.tick()
    (line,) = alerts.lines
    assert "step trained_model: ValueError" in line["text"]
    assert "Elm" not in json.dumps(line)


def test_a_run_that_failed_without_a_step_is_reported_with_the_reason_that_dagster_gave(alerts: Alerts) -> None:
    @dg.job
    def refresh() -> None: ...

    run = alerts.instance.create_run_for_job(refresh)
    alerts.instance.report_run_failed(run, "The node of the run is gone")
    alerts.tick()
    (line,) = alerts.lines
    assert f"Run {run.run_id} of job refresh failed" in line["text"]
    assert "run: The node of the run is gone" in line["text"]
