"""A killed `make run` leaves a run that nobody watches: two of them, and nothing that `make ui` queues would start."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from credit_assets.commands.one_machine.local import fail_runs_of_killed_processes
from resources.history.tags import PROCESS, WILL_RETRY
from resources.machine import process_status
from resources.machine.processes import fail_left_runs, is_gone, make_process_tag

SAY_THE_TAG = "from resources.machine.processes import *; print(make_process_tag()[PROCESS], flush=True); input()"


@dg.job
def work() -> None:
    pass


@pytest.fixture
def other() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that is at work, and the tag of its runs."""
    command = [sys.executable, "-c", SAY_THE_TAG]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process, process.stdout.readline().strip()
        process.kill()


def started(instance: dg.DagsterInstance, **more: Any) -> str:
    run = instance.create_run_for_job(work, status=dg.DagsterRunStatus.STARTED, **more)
    return run.run_id


def status(instance: dg.DagsterInstance, run: str) -> str:
    found = instance.get_run_by_id(run)
    assert found
    return found.status.value


def test_only_the_run_of_a_killed_process_is_failed(
    empty_instance: dg.DagsterInstance, other: tuple[subprocess.Popen[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    process, tag = other
    left, own, nobodys = (started(empty_instance, tags=tags) for tags in ({PROCESS: tag}, make_process_tag(), {}))
    ended = empty_instance.create_run_for_job(work, status=dg.DagsterRunStatus.CANCELED, tags={PROCESS: tag}).run_id
    assert fail_left_runs(empty_instance) == []
    assert {status(empty_instance, run) for run in (left, own, nobodys)} == {"STARTED"}

    # Not waited for: in a container, where nobody waits for orphans, a killed process stays listed for ever.
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    fail_runs_of_killed_processes(empty_instance)
    assert status(empty_instance, left) == "FAILURE"
    assert f"run {left} was left by a process that is gone" in capsys.readouterr().err
    (event,) = (entry.dagster_event for entry in empty_instance.all_logs(left))
    assert event
    assert "was killed" in str(event.message)
    assert [run.run_id for run in empty_instance.get_runs(dg.RunsFilter(tags={WILL_RETRY: "false"}))] == [left]
    assert [status(empty_instance, run) for run in (own, nobodys, ended)] == ["STARTED", "STARTED", "CANCELED"]

    process.wait()
    again = started(empty_instance, tags={PROCESS: tag})
    assert fail_left_runs(empty_instance) == [again]
    assert fail_left_runs(empty_instance) == []


def test_a_retry_that_was_launched_keeps_going_with_the_tag_that_it_inherited(
    empty_instance: dg.DagsterInstance, other: tuple[subprocess.Popen[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    process, tag = other
    process.kill()
    process.wait()
    retry = started(empty_instance, tags={PROCESS: tag})
    with monkeypatch.context() as patch:
        patch.setattr(dg.DagsterRun, "remote_job_origin", "a code location")
        assert fail_left_runs(empty_instance) == []
        assert status(empty_instance, retry) == "STARTED"
    assert fail_left_runs(empty_instance) == [retry]


def test_a_number_that_was_given_to_another_process_is_not_mistaken_for_it() -> None:
    host, process, began = make_process_tag()[PROCESS].split()
    boot, tick = began.split(".")
    assert not is_gone(make_process_tag())
    assert is_gone({PROCESS: f"{host} {process} {boot}.{int(tick) - 1}"})
    assert is_gone({PROCESS: f"{host} {process} of-an-earlier-boot.{tick}"})
    assert not is_gone({PROCESS: f"another-{host} {process} {boot}.{int(tick) - 1}"}), "it can't be asked from here"
    assert not is_gone({PROCESS: "what somebody typed"})


def test_without_proc_the_number_alone_decides(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, other: tuple[subprocess.Popen[str], str]
) -> None:
    process, tag = other
    monkeypatch.setattr(process_status, "PROCESSES", tmp_path)
    assert len(make_process_tag()[PROCESS].split()) == 2
    alone = " ".join(tag.split()[:2])
    assert not is_gone({PROCESS: alone})
    assert not is_gone({PROCESS: tag}), "a start that can't be compared is no death"
    process.kill()
    process.wait()
    assert is_gone({PROCESS: alone})
