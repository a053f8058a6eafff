"""An alert that quotes a borrower, gives the webhook's secret away, comes twice or hangs is worse than a failed run."""

import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
import requests

from resources.services.http import hide_paths
from sensors.failure_report import (
    MAX_LINES,
    MAX_REASON,
    MAX_TEXT,
    FailedCheck,
    Report,
    describe_error,
    describe_retry,
)
from sensors.failures import WebhookError, failures, post

SECRET = "T00/B00/a-secret-path"


def logged(message: str, cause: Any = None) -> Any:
    """An error as the event log keeps it."""
    qualified = message.partition(":")[0].strip()
    return SimpleNamespace(message=message, cls_name=qualified.rpartition(".")[2], cause=cause)


def report(**changed: Any) -> Report:
    facts: dict[str, Any] = {
        "run_id": "r1",
        "job": "refresh",
        "link": "http://ui/runs/r1",
        "retry": "it will be retried",
    }
    return Report(**{**facts, "reasons": {}, "failed_checks": [], **changed})


def test_the_reason_is_the_error_itself_without_what_dagster_wraps_around_it() -> None:
    own = logged(
        "credit_assets.loans.table.LoansError: table loans has no column age\n", cause=logged("KeyError: 'age'\n")
    )
    wrapped = logged('dagster._core.errors.DagsterExecutionStepExecutionError: Error while executing op "x":\n', own)
    assert describe_error(wrapped) == "LoansError: table loans has no column age"


def test_only_the_class_of_another_librarys_error_is_reported() -> None:
    foreign = logged("ValueError: could not convert string to float: '41 years, 12 Elm Street'\n")
    wrapped = logged("dagster._core.errors.DagsterExecutionStepExecutionError: Error:\n", foreign)
    description = describe_error(wrapped)
    assert description.startswith("ValueError.")
    assert "Elm" not in description
    assert describe_error(logged("credit_assetsimilar.Error: 12 Elm Street\n")).count("Elm") == 0


def test_a_reason_without_a_message_is_its_class() -> None:
    assert describe_error(logged("dagster._core.definitions.events.Failure\n")) == "Failure"


def test_a_long_reason_is_cut_to_its_first_lines_and_a_long_report_keeps_its_link() -> None:
    lines = describe_error(
        logged("resources.services.database.DatabaseError: " + "\n".join(f"line {n}" for n in range(50)))
    )
    assert len(lines.splitlines()) == MAX_LINES
    assert len(describe_error(logged("resources.services.database.DatabaseError: " + "x" * 10_000))) == MAX_REASON
    long = report(reasons={f"step {n}": "x" * MAX_REASON for n in range(50)})
    assert len(long.text) == MAX_TEXT
    assert "http://ui/runs/r1" in long.text


def test_a_report_names_the_job_the_steps_the_checks_and_what_becomes_of_the_run() -> None:
    check = FailedCheck("loan_dataset", "enough_rows", "30 rows; expected at least 500 (limits.minimum_rows)")
    made = report(reasons={"step loan_dataset": "Failure: not committed"}, failed_checks=[check])
    assert made.text.splitlines() == [
        "Run r1 of job refresh failed; it will be retried. http://ui/runs/r1",
        "step loan_dataset: Failure: not committed",
        "check enough_rows of loan_dataset: 30 rows; expected at least 500 (limits.minimum_rows)",
    ]
    body = json.loads(json.dumps(made.body))
    assert body == {
        "text": made.text,
        "run_id": "r1",
        "job": "refresh",
        "link": "http://ui/runs/r1",
        "failed_checks": [{"asset": "loan_dataset", "check": "enough_rows", "description": check.description}],
    }


def test_an_undecided_retry_is_not_passed_off_as_none() -> None:
    assert describe_retry(True, retries_enabled=True) == "it will be retried"
    assert describe_retry(False, retries_enabled=True) == "it will not be retried"
    assert describe_retry(None, retries_enabled=False) == "it will not be retried"
    assert "not decided" in describe_retry(None, retries_enabled=True)
    assert describe_retry(False, retries_enabled=True, is_missed=True) == "it will be retried"


def test_it_is_on_without_anybody_s_help() -> None:
    assert failures.default_status is dg.DefaultSensorStatus.RUNNING


class Webhook:
    """A server that answers with the given statuses in turn, then with 200; None: not before the test ends."""

    def __init__(self, *answers: int | None) -> None:
        answering, received, over = iter(answers), [], Event()
        self.received: list[dict[str, Any]] = received
        self.over = over

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                status = next(answering, 200)
                if status is None:
                    over.wait()
                    return
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Retry-After", "3600")
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST  # noqa: N815 the name that http.server looks for

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/{SECRET}"
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def webhook(request: pytest.FixtureRequest) -> Iterator[Webhook]:
    server = Webhook(*getattr(request, "param", ()))
    yield server
    server.close()


def test_the_webhook_gets_each_report_once(webhook: Webhook) -> None:
    post(webhook.url, report().body)
    assert webhook.received == [report().body]


@pytest.mark.parametrize("webhook", [(503, 429)], indirect=True)
def test_a_webhook_that_accepted_nothing_gets_the_report_again(webhook: Webhook) -> None:
    post(webhook.url, report().body)
    assert len(webhook.received) == 3


@pytest.mark.parametrize(
    ("webhook", "times"), [((400,), 1), ((500,), 1), ((302,), 1), ((503,) * 9, 3)], indirect=["webhook"]
)
def test_a_webhook_that_refuses_is_an_error_and_does_not_get_the_report_again(webhook: Webhook, times: int) -> None:
    with pytest.raises(WebhookError, match=r"it answered .* check PLATFORM_WEBHOOK_URL"):
        post(webhook.url, report().body)
    assert len(webhook.received) == times


@pytest.mark.parametrize("webhook", [(None,)], indirect=True)
def test_a_webhook_that_may_have_the_report_does_not_get_it_twice(
    webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensors.failures.TIMEOUTS", (2, 0.2))
    with pytest.raises(WebhookError, match="ReadTimeout"):
        post(webhook.url, report().body)
    assert len(webhook.received) == 1


@pytest.mark.parametrize("webhook", [(503,)], indirect=True)
def test_the_secret_in_the_webhook_s_address_is_in_no_log_when_a_report_is_sent_again(
    webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "urllib3")
    post(webhook.url, report().body)
    assert len(webhook.received) == 2
    assert SECRET not in caplog.text


def test_the_log_of_other_requests_is_as_before(webhook: Webhook, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "urllib3")
    level = logging.getLogger("urllib3").level
    with hide_paths():
        other = Thread(target=lambda: requests.post(f"{webhook.url}/of-another-thread", json={}, timeout=5))
        other.start()
        other.join()
    requests.post(f"{webhook.url}/afterwards", json={}, timeout=5)
    assert "of-another-thread" in caplog.text
    assert "afterwards" in caplog.text
    assert logging.getLogger("urllib3").level == level


def test_the_secret_in_the_webhook_s_address_is_in_no_error_and_no_log(
    webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    webhook.close()
    caplog.set_level(logging.DEBUG, "urllib3")
    with pytest.raises(WebhookError, match="ConnectionError") as caught:
        post(webhook.url, report().body)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert SECRET not in str(caught.value) + caplog.text
