"""A daemon that outlives its killed command holds the lock of the history, and its UI serves a stopped database."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
CHILD = """
import sys, time
from resources.machine.end_with_parent import end_with_parent

end_with_parent(int(sys.argv[1]))
print("working", flush=True)
time.sleep(60)
"""
PARENT = f"""
import os, signal, subprocess, sys

signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}, str(os.getpid())], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
child.wait()
"""
HANG_UP = """
import signal, sys, time
from credit_assets.commands import main

def work():
    try:
        print("working", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("stopped", flush=True)
        return 130

main.main = work
main.start()
"""


def is_running(process: int) -> bool:
    """Whether the process works: one that has ended, and whose exit code nobody read, does not."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux alone does this")
def test_a_child_ends_within_seconds_of_its_killed_parent_and_not_before() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        time.sleep(0.5)
        assert is_running(child)
        parent.kill()
    deadline = time.monotonic() + 30
    while is_running(child):
        assert time.monotonic() < deadline, "it outlives its parent"
        time.sleep(0.05)


def test_a_child_whose_parent_has_ended_already_does_nothing() -> None:
    somebody_else = os.getppid()
    command = [sys.executable, "-c", CHILD, str(somebody_else)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, cwd=REPOSITORY)
    assert (done.returncode, done.stdout) == (128 + signal.SIGTERM, "")


@pytest.mark.parametrize("ignored", [False, True], ids=["a closed terminal", "nohup"])
def test_a_closed_terminal_ends_a_command_as_ctrl_c_does_unless_nohup_was_asked_for(ignored: bool) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        command = subprocess.Popen(
            [sys.executable, "-c", HANG_UP], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY, restore_signals=False
        )
    finally:
        signal.signal(signal.SIGHUP, before)
    with command:
        assert command.stdout
        assert command.stdout.readline() == "working\n"
        command.send_signal(signal.SIGHUP)
        if ignored:
            with pytest.raises(subprocess.TimeoutExpired):
                command.wait(timeout=1)
            command.kill()
            return
        assert command.communicate(timeout=10)[0] == "stopped\n"
    assert command.returncode == 130
