"""A port that does not answer for a living machine fails healthy runs; one that answers for a dead one is no sign."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from resources.launching.knocking import Witness, call_holders, knock
from resources.supervision.port import LONGEST_QUEUE, close_calls, open_port

HOLDER = """import time
from resources.supervision.port import open_port
port = open_port(0)
print(port.getsockname()[1], flush=True)
time.sleep(60)"""
# An address for documentation (RFC 5737): nobody has it.
NOBODY = "192.0.2.1"


@pytest.fixture
def port() -> Iterator[socket.socket]:
    opened = open_port(0)
    assert opened
    with opened:
        yield opened


def number(port: socket.socket) -> int:
    return port.getsockname()[1]


def test_a_holder_answers_a_call_over_either_family_of_addresses(port) -> None:
    assert knock("127.0.0.1", 5, number(port))
    if socket.has_dualstack_ipv6():
        assert knock("::1", 5, number(port))


def test_a_frozen_holder_is_answered_for_by_its_kernel() -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout
            called = int(holder.stdout.readline())
            os.kill(holder.pid, signal.SIGSTOP)
            assert knock("127.0.0.1", 5, called)
        finally:
            holder.kill()
    assert not knock("127.0.0.1", 5, called), "it has ended"


def test_a_holder_that_looks_from_time_to_time_answers_any_number_of_calls(port) -> None:
    for _ in range(3):
        assert all(knock("127.0.0.1", 5, number(port)) for _ in range(LONGEST_QUEUE))
        close_calls(port)


def test_a_call_ends_in_time_if_nobody_answers(monkeypatch) -> None:
    def connect(address: tuple[str, int], timeout: float) -> None:
        time.sleep(timeout)
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", connect)
    began = time.monotonic()
    assert not knock(NOBODY, 0.2)
    assert 0.2 <= time.monotonic() - began < 2


def test_a_port_that_is_taken_costs_a_holder_its_port_and_no_more(port, caplog) -> None:
    assert open_port(number(port)) is None
    assert "can't be opened" in caplog.text


def test_a_worker_does_not_keep_the_port_of_a_holder_that_has_ended(port) -> None:
    assert not port.get_inheritable()


def resolve_to(monkeypatch: pytest.MonkeyPatch, *hosts: str) -> list[str]:
    """Lets every name be that of these addresses; the names that were looked up."""
    asked: list[str] = []

    def look_up(host: str, port: int, **_: object) -> list[object]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in hosts]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_a_witness_is_looked_up_once_as_long_as_it_answers(monkeypatch, port) -> None:
    witness = Witness("127.0.0.1", number(port))
    assert witness.answers()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("the DNS may be on the lost node"))
    monkeypatch.setattr("resources.launching.knocking.knock", lambda *_: True)
    assert witness.answers()


def test_all_witnesses_must_answer_because_one_may_be_on_the_machine_of_the_watcher(monkeypatch) -> None:
    answering = {"10.0.0.1"}
    monkeypatch.setattr("resources.launching.knocking.knock", lambda host, *_: host in answering)
    asked = resolve_to(monkeypatch, "10.0.0.1", "10.0.0.2")
    witness = Witness("code-server", 3030)
    assert not witness.answers()
    answering.add("10.0.0.2")
    assert witness.answers()
    assert asked == ["code-server"], "its addresses were known"


def test_a_witness_that_moved_is_looked_up_again(monkeypatch) -> None:
    answering = {"10.0.0.1"}
    monkeypatch.setattr("resources.launching.knocking.knock", lambda host, *_: host in answering)
    resolve_to(monkeypatch, "10.0.0.1")
    witness = Witness("code-server", 3030)
    assert witness.answers()
    answering.clear()
    answering.add("10.0.0.9")
    resolve_to(monkeypatch, "10.0.0.9")
    assert witness.answers()


def test_a_witness_without_a_name_in_the_dns_does_not_answer(monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert not Witness("code-server", 3030).answers()


def test_without_a_witness_nobody_is_called() -> None:
    assert call_holders("") is None
    assert call_holders("code-server:3030")
