"""A deployment that reports success without a loaded code location, or hides why it has none, is found out at night."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from resources.webserver import Webserver, WebserverError, values


@pytest.fixture
def answers() -> list:
    """What the server of the test answers to each question, in turn; the last is repeated."""
    return []


@pytest.fixture
def webserver(answers: list) -> Iterator[Webserver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps(answers.pop(0) if len(answers) > 1 else answers[0]).encode()
            self.send_response(200)
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


def location(kind: str, **more: str) -> dict:
    entry = {"name": "credit_assets", "locationOrLoadError": {"__typename": kind, **more}}
    return {"data": {"workspaceOrError": {"locationEntries": [entry]}}}


def test_a_location_that_loads_is_waited_for(webserver, answers) -> None:
    answers += [location("PythonError", message="the code server is away"), location("RepositoryLocation")]
    assert webserver.wait_for_location(30) == "credit_assets"


def test_a_location_that_never_loads_is_an_error_with_its_reason(webserver, answers) -> None:
    answers += [location("PythonError", message="No module named credit")]
    with pytest.raises(WebserverError, match="no code location after 0 s: No module named credit"):
        webserver.wait_for_location(0.1)


def test_a_run_that_is_not_launched_is_an_error_with_its_reason(webserver, answers) -> None:
    refused = {
        "data": {"launchRun": {"__typename": "RunConfigValidationInvalid", "errors": [{"message": "no such op"}]}}
    }
    answers += [location("RepositoryLocation"), refused]
    with pytest.raises(WebserverError, match="launched no run of refresh: RunConfigValidationInvalid no such op"):
        webserver.launch("refresh")


def test_a_run_that_does_not_end_in_time_is_an_error_and_not_a_success(webserver, answers) -> None:
    answers += [{"data": {"runOrError": {"__typename": "Run", "status": "STARTED", "tags": []}}}]
    with pytest.raises(WebserverError, match="has not ended after 0 s"):
        webserver.wait_for_run("run", 0.1)


def test_no_webserver_at_all_is_an_error_that_names_the_address() -> None:
    with pytest.raises(WebserverError, match=r"http://127\.0\.0\.1:9 does not answer"):
        Webserver("http://127.0.0.1:9").ask("{ version }")


def test_metadata_that_is_neither_text_nor_number_is_left_out() -> None:
    entries = [{"label": "auc", "floatValue": 0.8}, {"label": "picture"}, {"label": "sha256", "text": "abc"}]
    assert values(entries) == {"auc": 0.8, "sha256": "abc"}
