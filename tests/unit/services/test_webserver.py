"""A deployment that reports success without a loaded code location, or hides why it has none, is found out at night."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from resources.services.webserver import RunMissing, Webserver, WebserverError, read_metadata


@pytest.fixture
def answers() -> list:
    """What the server of the test answers, in turn: a body, or a status without one. The last is repeated."""
    return []


@pytest.fixture
def webserver(answers: list) -> Iterator[Webserver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            body = json.dumps({} if isinstance(answer, int) else answer).encode()
            self.send_response(answer if isinstance(answer, int) else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Webserver(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


def location(kind: str, image: str | None = None, **more: str) -> dict:
    stated = [{"key": "host", "value": "code-server"}] + ([{"key": "image", "value": image}] if image else [])
    entry = {"name": "credit_assets", "displayMetadata": stated, "locationOrLoadError": {"__typename": kind, **more}}
    return {"data": {"workspaceOrError": {"locationEntries": [entry]}}}


def test_a_location_that_loads_is_waited_for(webserver, answers) -> None:
    loading = location("")
    loading["data"]["workspaceOrError"]["locationEntries"][0]["locationOrLoadError"] = None
    answers += [loading, location("PythonError", message="the code server is away"), location("RepositoryLocation")]
    assert webserver.wait_for_location(30) == "credit_assets"


def test_the_code_of_the_release_before_is_not_taken_for_that_of_the_image_that_was_asked_for(
    webserver, answers
) -> None:
    answers += [
        location("RepositoryLocation", image="platform:old"),
        location("RepositoryLocation", image="platform:new"),
    ]
    assert webserver.wait_for_location(30, "platform:new") == "credit_assets"
    assert len(answers) == 1
    with pytest.raises(WebserverError, match="has the code of image platform:new, expected platform:newer"):
        webserver.wait_for_location(0.1, "platform:newer")
    answers[0] = location("RepositoryLocation")
    with pytest.raises(WebserverError, match="has the code of image that is not stated, expected platform:new"):
        webserver.wait_for_location(0.1, "platform:new")


def test_a_location_that_never_loads_is_an_error_with_its_reason(webserver, answers) -> None:
    answers += [location("PythonError", message="No module named credit")]
    with pytest.raises(WebserverError, match=r"no code location: No module named credit \(waited 0 s\)$"):
        webserver.wait_for_location(0.1)


def test_a_webserver_that_never_answers_is_no_missing_location_and_is_not_waited_for_longer_than_asked() -> None:
    began = time.monotonic()
    with pytest.raises(WebserverError, match=r":9 does not answer: ConnectionError \(waited 2 s\)$") as refused:
        Webserver("http://127.0.0.1:9").launch("promote_by_hand", patience=2)
    assert time.monotonic() - began < 10, "the repeats of one request take 12 s"
    assert "code location" not in str(refused.value)


def test_a_run_that_is_not_launched_is_an_error_with_its_reason(webserver, answers) -> None:
    refused = {
        "data": {"launchRun": {"__typename": "RunConfigValidationInvalid", "errors": [{"message": "no such op"}]}}
    }
    answers += [location("RepositoryLocation"), refused]
    with pytest.raises(WebserverError, match="launched no run of refresh: RunConfigValidationInvalid no such op"):
        webserver.launch("refresh")


UNKNOWN = {"data": {"launchRun": {"__typename": "PipelineNotFoundError"}}}


def test_a_run_is_launched_though_one_webserver_of_the_service_has_not_loaded_the_code_yet(webserver, answers) -> None:
    launched = {"data": {"launchRun": {"__typename": "LaunchRunSuccess", "run": {"runId": "first"}}}}
    answers += [location("RepositoryLocation"), UNKNOWN, UNKNOWN, launched, UNKNOWN]
    assert webserver.launch("refresh") == "first"
    assert answers == [UNKNOWN], "it was launched twice"


def test_a_job_that_no_webserver_has_is_an_error_after_the_patience(webserver, answers) -> None:
    answers += [location("RepositoryLocation"), UNKNOWN]
    began = time.monotonic()
    with pytest.raises(WebserverError, match="launched no run of refresh: PipelineNotFoundError"):
        webserver.launch("refresh", patience=1)
    assert 1 <= time.monotonic() - began < 5


def run(status: str) -> dict:
    return {"data": {"runOrError": {"__typename": "Run", "status": status, "tags": []}}}


def test_a_question_is_asked_again_while_nobody_is_behind_the_service(webserver, answers) -> None:
    answers += [503, 502, run("SUCCESS")]
    assert webserver.read_run("run")["status"] == "SUCCESS"


def test_a_question_is_not_asked_for_ever(webserver, answers) -> None:
    answers += [503]
    with pytest.raises(WebserverError, match="does not answer: HTTP 503"):
        Webserver(webserver.url, repeats=1).read_run("run")


def test_a_launch_that_may_have_been_heard_is_not_repeated(webserver, answers) -> None:
    launched = {"data": {"launchRun": {"__typename": "LaunchRunSuccess", "run": {"runId": "second"}}}}
    answers += [location("RepositoryLocation"), 502, launched]
    with pytest.raises(WebserverError, match="does not answer: HTTP 502"):
        webserver.launch("refresh")
    assert answers == [launched]


def test_a_run_is_waited_for_while_the_webserver_or_its_database_is_away(webserver, answers) -> None:
    lost = {"data": {"runOrError": {"__typename": "PythonError", "message": "connection refused"}}}
    answers += [lost, {"errors": [{"message": "server closed the connection"}]}, run("STARTED"), run("FAILURE")]
    assert webserver.wait_for_run("run", 30) == "FAILURE"


def test_a_run_that_there_is_not_is_not_waited_for(webserver, answers) -> None:
    answers += [{"data": {"runOrError": {"__typename": "RunNotFoundError"}}}]
    with pytest.raises(RunMissing, match="knows no run nobody"):
        webserver.wait_for_run("nobody", 30)


def test_a_run_that_does_not_end_in_time_is_an_error_and_not_a_success(webserver, answers) -> None:
    answers += [run("STARTED")]
    with pytest.raises(WebserverError, match="has not ended after 0 s"):
        webserver.wait_for_run("run", 0.1)


def test_no_webserver_at_all_is_an_error_that_names_the_address() -> None:
    with pytest.raises(WebserverError, match=r"http://127\.0\.0\.1:9 does not answer"):
        Webserver("http://127.0.0.1:9", repeats=1).query("{ version }")


def test_metadata_that_is_neither_text_nor_number_is_left_out() -> None:
    entries = [{"label": "auc", "floatValue": 0.8}, {"label": "picture"}, {"label": "sha256", "text": "abc"}]
    assert read_metadata(entries) == {"auc": 0.8, "sha256": "abc"}


def test_a_run_goes_on_from_where_it_failed_or_says_why_not(webserver, answers) -> None:
    answers += [{"data": {"launchRunReexecution": {"__typename": "LaunchRunSuccess", "run": {"runId": "second"}}}}]
    assert webserver.reexecute("first", "FROM_FAILURE", {}) == "second"
    answers[:] = [{"data": {"launchRunReexecution": {"__typename": "PythonError", "message": "No steps needed"}}}]
    with pytest.raises(WebserverError, match="launched no run of what run first left: PythonError No steps needed"):
        webserver.reexecute("first", "FROM_FAILURE", {})


def test_a_failure_of_our_own_is_read_without_the_name_of_its_class_and_one_of_a_library_with_it(
    webserver, answers
) -> None:
    ours = "resources.store.pointers.pointer.NoSuchPosition: There is no promotion 99; the latest is 1."
    messages = [ours, "builtins.KeyError: 'set'"]
    events = [
        {"__typename": "ExecutionStepFailureEvent", "error": {"message": "step", "causes": [{"message": each}]}}
        for each in messages
    ]
    log = {"__typename": "EventConnection", "cursor": "", "hasMore": False, "events": events}
    answers.append({"data": {"logsForRun": log}})
    assert webserver.read_failure_reasons("run") == ["There is no promotion 99; the latest is 1.", messages[1]]
