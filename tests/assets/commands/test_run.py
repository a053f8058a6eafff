"""A run that is stopped, or whose database dies, ends at once, in one line, with the exit code that says so."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy.exc import OperationalError

from credit_assets.commands.main import main
from credit_assets.commands.one_machine import run
from credit_assets.commands.one_machine.run import HistoryError, execute, interruptible
from resources.deployment import Deployment
from resources.machine.embedded_postgres import EmbeddedPostgres, use_postgres

DIE_WITH_SERVER = """
import sys, time
from pathlib import Path
from credit_assets.commands.one_machine.run import end_with_server
from resources.machine.embedded_postgres import EmbeddedPostgres

with end_with_server(EmbeddedPostgres(Path(sys.argv[1])), pause=0.05):
    print("working", flush=True)
    time.sleep(60)
"""


@dg.op
def stop_this_process() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@dg.op
def fail() -> None:
    raise ValueError("bad input")


@dg.job(executor_def=dg.in_process_executor, logger_defs={"progress": dg.colored_console_logger})
def stopped() -> None:
    stop_this_process()


@dg.job(executor_def=dg.in_process_executor, logger_defs={"progress": dg.colored_console_logger})
def failed() -> None:
    fail()


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setattr(run, "build_defs", lambda _: dg.Definitions(jobs=[stopped, failed]))
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def test_a_run_that_is_stopped_is_interrupted_and_one_that_fails_is_not(instance: Any, capfd: Any) -> None:
    with (
        pytest.raises(KeyboardInterrupt, match=r"^what run \S+ committed stays; the same command starts another run$"),
        interruptible(),
    ):
        execute(Deployment(), "stopped", instance)
    capfd.readouterr()
    assert not execute(Deployment(), "failed", instance).success
    assert "interrupted" not in capfd.readouterr().err


def test_a_history_that_goes_away_is_one_error_of_ours(instance: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(*_: Any, **__: Any) -> None:
        raise OperationalError("INSERT INTO event_logs", {}, Exception("server closed the connection"))

    monkeypatch.setattr(dg.JobDefinition, "execute_in_process", lose)
    with pytest.raises(HistoryError, match=r"database went away \(OperationalError\); what the run committed stays"):
        execute(Deployment(), "failed", instance)


def test_an_interruption_between_two_steps_is_no_traceback() -> None:
    with pytest.raises(KeyboardInterrupt, match=r"^what the run committed stays"), interruptible():
        raise dg.DagsterExecutionInterruptedError


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    """A server that a test may kill."""
    with tempfile.TemporaryDirectory() as folder, use_postgres(Path(folder) / "postgres") as started:
        yield started


def postmaster(server: EmbeddedPostgres) -> int:
    return int((server.data / "postmaster.pid").read_text().splitlines()[0])


def test_a_run_ends_within_seconds_of_its_postgresql_and_not_before(server: EmbeddedPostgres) -> None:
    command = [sys.executable, "-c", DIE_WITH_SERVER, str(server.data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as working:
        assert working.stdout
        assert working.stdout.readline() == "working\n"
        assert not server.has_ended()
        with pytest.raises(subprocess.TimeoutExpired):
            working.wait(timeout=0.5)
        os.kill(postmaster(server), signal.SIGKILL)
        _, printed = working.communicate(timeout=20)
    assert working.returncode == 1
    (line,) = printed.splitlines()
    assert line.startswith(f"error: the PostgreSQL of {server.data} has ended; what the run committed stays")
    assert server.has_ended()


@pytest.mark.parametrize(
    ("sentence", "printed"),
    [
        ("what the run committed stays", "\ninterrupted: what the run committed stays\n"),
        ("", "\ninterrupted: nothing is under way any more\n"),
    ],
)
def test_ctrl_c_is_130_and_one_line_whatever_was_under_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sentence: str, printed: str
) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt(sentence)

    monkeypatch.setattr("credit_assets.commands.one_machine.local.local_platform", stop)
    assert main(["run"]) == 130
    assert capsys.readouterr().err == printed
