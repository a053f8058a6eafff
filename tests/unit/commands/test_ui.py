"""A second `make ui` must not start a second daemon on the storage of the first."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from credit_assets.commands.main import main
from credit_assets.commands.one_machine import local
from credit_assets.commands.one_machine.ui import HOST, UiError, announce, check_port, only_daemon
from resources.deployment import Deployment


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server((HOST, 0)) as server:
        yield server


@pytest.mark.parametrize("command", ["ui", "run"])
def test_a_taken_port_stops_the_ui_in_one_line_before_anything_starts_and_no_run(
    command: str, listening: socket.socket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Started(Exception):
        pass

    def start(_settings: Path, _outside: Deployment) -> None:
        raise Started

    monkeypatch.setattr(local, "local_platform", start)
    port = listening.getsockname()[1]
    if command == "run":
        with pytest.raises(Started):
            main(["run"])
        return
    assert main(["ui", "--port", str(port)]) == 1
    captured = capsys.readouterr()
    assert not captured.out
    (line,) = captured.err.splitlines()
    assert line.startswith(f"error: port {port} can't be had (Address already in use)")
    assert "--port 3001" in line
    listening.close()
    with pytest.raises(Started):
        main(["ui", "--port", str(port)])


def test_one_that_listens_on_every_address_has_the_port_too() -> None:
    with socket.create_server(("", 0)) as server, pytest.raises(UiError, match="choose another"):
        check_port(server.getsockname()[1])


@pytest.mark.parametrize("port", ["0", "-1", "70000"])
def test_a_port_that_does_not_exist_is_wrong_usage_with_its_number(
    port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ui", "--port", port]) == 2
    error = capsys.readouterr().err
    assert f"{port} is not in the range 1<=x<=65535" in error
    assert "stop what listens there" not in error


def test_what_is_left_of_the_last_uis_connections_is_no_reason_to_refuse(listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    with socket.create_connection((HOST, port)):
        taken, _ = listening.accept()
        taken.close()  # first, so that this end of it lingers
    listening.close()
    check_port(port)


class Starting(BaseHTTPRequestHandler):
    """A webserver that answers from the third question on."""

    asked = 0

    def do_POST(self) -> None:
        type(self).asked += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200 if self.asked > 2 else 503)
        self.end_headers()
        self.wfile.write(b'{"data": {"version": "1"}}' if self.asked > 2 else b"{}")

    def log_request(self, *_: object, **__: object) -> None:
        pass


def test_the_address_of_the_ui_is_printed_once_when_its_webserver_answers_and_not_before(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with HTTPServer((HOST, 0), Starting) as server:
        address = f"http://{HOST}:{server.server_port}"
        with announce(address, pause=0.01):
            for _ in range(2):
                server.handle_request()
                assert capsys.readouterr().out == "", "nobody answers there yet"
            server.handle_request()
            deadline, printed = time.monotonic() + 20, ""
            while not printed and time.monotonic() < deadline:
                printed = capsys.readouterr().out
                time.sleep(0.01)
            assert printed == f"the UI is ready at {address}\n"
            server.timeout = 0.2
            server.handle_request()
    assert Starting.asked == 3, "it was asked again after it had answered"


def test_a_second_ui_of_one_history_is_refused_and_says_where_the_first_is(tmp_path: Path) -> None:
    deployment = Deployment(history_url="postgresql://one", dagster_home=str(tmp_path))
    with only_daemon(deployment, "http://localhost:3000"):
        refusal = f"is at http://localhost:3000 (process {os.getpid()}) already: use it, or stop it first"
        with pytest.raises(UiError, match=re.escape(refusal)), only_daemon(deployment, "another"):
            pytest.fail("there are two daemons")
        with only_daemon(replace(deployment, history_url="postgresql://two"), "http://localhost:3001"):
            pass
    with only_daemon(deployment, "http://localhost:3002"):
        pass


def test_a_daemon_that_outlives_its_killed_parent_still_keeps_a_second_one_out(tmp_path: Path) -> None:
    deployment = Deployment(history_url="postgresql://one", dagster_home=str(tmp_path))
    with only_daemon(deployment, "http://localhost:3000") as lock:
        daemon = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(lock,))
    try:
        with pytest.raises(UiError, match="already"), only_daemon(deployment, "another"):
            pytest.fail("there are two daemons")
    finally:
        daemon.communicate(b"\n")
    with only_daemon(deployment, "http://localhost:3001"):
        pass
