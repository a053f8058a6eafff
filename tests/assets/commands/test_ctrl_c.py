"""Ctrl-C ends `credit-platform run` within seconds and in one line, whatever the run waits for, in a real terminal."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.support.sandbox import Sandbox

CTRL_C = b"\x03"
# The first process of a session takes the first terminal that it opens as the one whose keys reach it.
TAKE_TERMINAL = "import os, sys; os.close(os.open(os.ttyname(0), os.O_RDWR)); os.execv(sys.argv[1], sys.argv[1:])"


class Terminal:
    """A process whose controlling terminal is one of our own, and what it has printed there."""

    def __init__(self, controller: int, process: subprocess.Popen[bytes]) -> None:
        self.controller, self.process, self.printed = controller, process, ""

    def read_until(self, text: str) -> None:
        while text not in self.printed:
            part = self._read()
            assert part, self.printed
            self.printed += part

    def press_ctrl_c(self) -> float:
        """Presses Ctrl-C, and reads all that is printed until the end; the seconds that this took."""
        began = time.monotonic()
        os.write(self.controller, CTRL_C)
        while part := self._read():
            self.printed += part
        self.process.wait(timeout=20)
        return time.monotonic() - began

    def _read(self) -> str:
        # Linux answers with EIO when the last process has closed the terminal.
        with suppress(OSError):
            return os.read(self.controller, 65_536).decode(errors="replace")
        return ""


@contextmanager
def run_in_terminal(sandbox: Sandbox, **changed: str) -> Iterator[Terminal]:
    """`make run` in a terminal of its own."""
    controller, terminal = os.openpty()
    run = [sys.executable, "-m", "credit_assets.commands.main", "run", "--settings", str(sandbox.settings)]
    try:
        with subprocess.Popen(
            [sys.executable, "-c", TAKE_TERMINAL, *run],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            cwd=sandbox.folder,
            env={**os.environ, **sandbox.environment, **changed},
            start_new_session=True,
        ) as process:
            os.close(terminal)
            try:
                yield Terminal(controller, process)
            finally:
                process.kill()
    finally:
        os.close(controller)


def assert_interrupted(terminal: Terminal) -> None:
    assert terminal.process.returncode == 130, terminal.printed
    assert terminal.printed.count("interrupted: ") == 1, terminal.printed
    assert "Traceback" not in terminal.printed, terminal.printed
    assert "KeyboardInterrupt" not in terminal.printed, terminal.printed
    assert "interrupted unexpectedly" not in terminal.printed, terminal.printed


def test_ctrl_c_amid_a_run_is_one_line_and_no_traceback_of_the_processes_that_copy_its_log(sandbox: Sandbox) -> None:
    sandbox.reset()
    with run_in_terminal(sandbox) as terminal:
        # Its log comes through these processes, so they are there. The watchers among them take a moment to start.
        terminal.read_until("reading loans")
        time.sleep(0.5)
        assert terminal.press_ctrl_c() < 20
    assert_interrupted(terminal)
    assert "what run " in terminal.printed


def test_ctrl_c_ends_the_wait_for_a_store_that_never_answers(sandbox: Sandbox) -> None:
    sandbox.reset()
    runs = sandbox.instance.get_runs_count()
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "of-a-test")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with run_in_terminal(
            sandbox, PLATFORM_STORE="s3://silent/p", AWS_ENDPOINT_URL=endpoint, AWS_REGION="us-east-1", **keys
        ) as terminal:
            terminal.read_until("waiting for the store s3://silent/p")
            assert terminal.press_ctrl_c() < 10
    assert_interrupted(terminal)
    assert sandbox.instance.get_runs_count() == runs, "a run began without its store"


def test_a_store_that_refuses_all_connections_is_an_error_before_a_run_begins(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    sandbox.reset()
    runs = sandbox.instance.get_runs_count()
    began = time.monotonic()
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "of-a-test")
    address = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_REGION": "us-east-1"}
    assert sandbox.run(PLATFORM_STORE="s3://nobody/p", **address, **keys) == 1
    assert time.monotonic() - began < 20
    waited, error = capfd.readouterr().err.splitlines()
    assert waited == "waiting for the store s3://nobody/p"
    assert error.startswith("error: store s3://nobody/p: can't read .bucket-exists")
    assert sandbox.instance.get_runs_count() == runs
