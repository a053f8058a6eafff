"""A proxy of the environment stands between this machine and others: a server of this machine can't be reached by it.

Without these tests, a shell with `http_proxy` keeps a command from its own webserver.
"""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from resources.services.http import is_loopback, open_session


class Answering(BaseHTTPRequestHandler):
    """Answers with the address that was asked for: a proxy gets the whole of it."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_server_of_this_machine_is_asked_past_a_proxy(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://nowhere.invalid:1")
    with open_session(repeats=0) as session:
        assert session.get(f"{address}/here", timeout=5).text == "/here"


def test_another_machine_is_asked_through_the_proxy(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", address)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with open_session(repeats=0) as session:
        assert session.get("http://registry.invalid/there", timeout=5).text == "http://registry.invalid/there"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:3000/graphql", True),
        ("http://ui.localhost/", True),
        ("http://127.3.2.1/", True),
        ("http://[::1]:3000/", True),
        ("http://localhost.example.com/", False),
        ("http://10.0.0.1/", False),
        ("http://webserver/", False),
    ],
)
def test_only_addresses_of_this_machine_count_as_its_own(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected
