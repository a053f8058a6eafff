"""A second `make ui` must not start a second daemon on the storage of the first."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from credit_assets.commands import main as cli
from credit_assets.commands.serve import HOST, check_port


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

    def start(_: Path) -> None:
        raise Started

    monkeypatch.setattr(cli, "local_platform", start)
    port = listening.getsockname()[1]
    if command == "run":
        with pytest.raises(Started):
            cli.main(["run", "--port", str(port)])
        return
    assert cli.main(["ui", "--port", str(port)]) == 1
    said = capsys.readouterr()
    assert not said.out
    (line,) = said.err.splitlines()
    assert line.startswith(f"error: port {port} can't be had (Address already in use)")
    assert "--port 3001" in line
    listening.close()
    with pytest.raises(Started):
        cli.main(["ui", "--port", str(port)])


def test_one_that_listens_on_every_address_has_the_port_too() -> None:
    with socket.create_server(("", 0)) as server, pytest.raises(OSError, match="choose another"):
        check_port(server.getsockname()[1])


def test_a_port_that_there_is_not_is_named() -> None:
    with pytest.raises(OSError, match="there is no port 70000: "):
        check_port(70_000)


def test_what_is_left_of_the_last_uis_connections_is_no_reason_to_refuse(listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    with socket.create_connection((HOST, port)):
        taken, _ = listening.accept()
        taken.close()  # first, so that this end of it lingers
    listening.close()
    check_port(port)
