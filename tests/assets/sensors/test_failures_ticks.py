"""Real failures of real runs: each is reported once, with what failed, why and where to look.

An alert that is lost leaves an old model in use and nobody the wiser; one that is repeated is one that people stop
reading; one that quotes a library may quote a loan.
"""

import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import dagster as dg
import pytest

from resources.deployment import Deployment
from resources.history.facts import CAUSES, TOLERATED
from resources.history.tags import REPORTED
from sensors.failures import failures


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
        self.deployment = Deployment()
        self.tick()

    def tick(self, cursor: str | None = None) -> Any:
        context = dg.build_sensor_context(
            instance=self.instance, cursor=cursor or self.cursor, resources={"deployment": self.deployment}
        )
        data = failures.evaluate_tick(context)
        self.cursor = data.cursor
        return data

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(each.message) for each in self.caplog.records if each.name == "sensors.failures"]


@pytest.fixture
def alerts(instance: dg.DagsterInstance, caplog: pytest.LogCaptureFixture) -> Alerts:
    return Alerts(instance, caplog)


def test_a_failed_blocking_check_is_reported_once_with_its_reason_and_a_link(
    lending: Any,
    alerts: Alerts,
    webhook: Webhook,
    capsys: pytest.CaptureFixture[str],
) -> None:
    alerts.deployment = Deployment(webhook_url=webhook.url, ui_url="https://dagster.example/")
    before = alerts.cursor
    lending.arrive(30)
    run = lending.materialize(alerts.instance)
    assert not run.success
    capsys.readouterr()
    alerts.tick()
    (report,) = webhook.received
    why = "30 rows; expected at least 50 (limits.minimum_rows)"
    assert report["run_id"] == run.run_id
    assert report["link"] == f"https://dagster.example/runs/{run.run_id}"
    assert report["failed_checks"] == [{"asset": "loan_dataset", "check": "enough_rows", "description": why}]
    for part in (
        run.run_id,
        report["job"],
        report["link"],
        "step loan_dataset: Failure: ",
        f"enough_rows of loan_dataset: {why}",
    ):
        assert part in report["text"]
    assert alerts.lines == [{"event": "run_failed", **report}]
    assert report["text"].splitlines()[0] in capsys.readouterr().err  # the tick's own log

    alerts.tick()
    alerts.tick(cursor=before)  # the daemon died before it kept the cursor, or somebody reset it
    assert len(webhook.received) == len(alerts.lines) == 1


def test_without_a_webhook_the_report_is_in_the_log_and_nobody_is_called(
    lending: Any, alerts: Alerts, webhook: Webhook
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
    lending: Any, alerts: Alerts, webhook: Webhook
) -> None:
    alerts.deployment = Deployment(webhook_url=webhook.url)
    webhook.close()
    run = lending.materialize(alerts.instance)
    tick = alerts.tick()
    (error,) = [reaction.error for reaction in tick.dagster_run_reactions]
    assert "the webhook did not take the report (ConnectionError): check PLATFORM_WEBHOOK_URL" in error.to_string()
    assert "a-secret-path" not in error.to_string() + alerts.caplog.text
    assert [line["run_id"] for line in alerts.lines] == [run.run_id]
    assert alerts.tick().dagster_run_reactions == []
    assert len(alerts.lines) == 1


def test_a_run_that_succeeds_is_not_reported(lending: Any, alerts: Alerts) -> None:
    lending.arrive(60)
    assert lending.materialize(alerts.instance).success
    assert alerts.tick().dagster_run_reactions == []
    assert alerts.lines == []


def test_a_retry_is_reported_although_it_inherits_the_tags_of_the_failed_run(lending: Any, alerts: Alerts) -> None:
    first = lending.materialize(alerts.instance)
    alerts.tick()
    reported = alerts.instance.get_run_by_id(first.run_id)
    assert reported is not None
    assert reported.tags[REPORTED] == first.run_id
    retry = lending.materialize(alerts.instance, **{REPORTED: first.run_id})
    alerts.tick()
    assert [line["run_id"] for line in alerts.lines] == [first.run_id, retry.run_id]


def test_no_report_quotes_the_message_of_another_library(alerts: Alerts) -> None:
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


@pytest.mark.parametrize("tolerated", [True, False])
def test_a_failure_that_says_of_itself_that_it_is_tolerated_alarms_nobody(
    alerts: Alerts, webhook: Webhook, tolerated: bool
) -> None:
    @dg.asset
    def wave() -> None:
        raise dg.Failure("1 of 200 locations failed", metadata={TOLERATED: tolerated}, allow_retries=False)

    alerts.deployment = Deployment(webhook_url=webhook.url)
    dg.materialize([wave], instance=alerts.instance, raise_on_error=False)
    alerts.tick()
    assert len(webhook.received) == len(alerts.lines) == (0 if tolerated else 1)


def test_a_tolerated_failure_does_not_hide_another_failure_of_its_run(alerts: Alerts) -> None:
    @dg.asset
    def wave() -> None:
        raise dg.Failure("1 of 200 locations failed", metadata={TOLERATED: True}, allow_retries=False)

    @dg.asset
    def other() -> None:
        raise ValueError

    dg.materialize([wave, other], instance=alerts.instance, raise_on_error=False)
    alerts.tick()
    assert len(alerts.lines) == 1


def test_each_cause_of_a_failure_is_an_alert_of_its_own_and_many_causes_are_no_flood(
    alerts: Alerts, webhook: Webhook
) -> None:
    causes = [f"cause {number}: 3 locations" for number in range(7)]

    @dg.asset
    def wave() -> None:
        raise dg.Failure("21 of 200 locations failed", metadata={CAUSES: dg.MetadataValue.json(causes)})

    alerts.deployment = Deployment(webhook_url=webhook.url)
    dg.materialize([wave], instance=alerts.instance, raise_on_error=False)
    alerts.tick()
    texts = [report["text"] for report in webhook.received]
    assert [cause in text for cause, text in zip(causes, texts, strict=False)] == [True] * 5
    assert "cause 1" not in texts[0]
    assert "2 more causes are on the page of the run" in texts[-1]
