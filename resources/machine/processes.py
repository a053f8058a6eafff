"""Runs that a process works on by itself, without a launcher: those that it left when it was killed are failed.

Nobody watches such a run. Left as started it would keep one of the places that runs have at once, and with some of them
nothing that waits in the queue would start.
"""

import os
import re
import socket
from collections.abc import Mapping

import dagster as dg

from resources.history.tags import PROCESS, WILL_RETRY
from resources.machine import process_status as proc
from resources.machine.process_status import stat

ENDED = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
UNFINISHED = [status for status in dg.DagsterRunStatus if status not in ENDED]


def this_process() -> dict[str, str]:
    """The tag of a run that this process works on: its machine, its number, and when it began."""
    return {PROCESS: f"{socket.gethostname()} {os.getpid()} {began(os.getpid())}".rstrip()}


def began(process: int) -> str:
    """The boot and the clock tick in which a process was started, as a number is used again; "" if nothing says it.

    A process that has ended and is still listed, as its parent has not asked for its exit code, began never.
    """
    try:
        state, *fields = stat(process)
        boot = (proc.PROCESSES / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
    return "never" if state in "ZX" else f"{boot}.{fields[18]}"


def is_gone(tags: Mapping[str, str]) -> bool:
    """Whether the process in these tags was on this machine and has ended; False if that can't be known."""
    named = re.fullmatch(r"(\S+) (\d{1,9})(?: (\S+))?", tags.get(PROCESS, ""))
    if not named or named[1] != socket.gethostname():
        return False
    process, then = int(named[2]), named[3]
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it is another user's, so there is one
    now = began(process)
    return bool(then and now) and now != then


def fail_left_runs(instance: dg.DagsterInstance) -> list[str]:
    """Fails every unfinished run whose process is gone, and returns the ids of these runs.

    One that was launched is left alone: it may have inherited the tag from the run that it retries.
    """
    left = [
        run
        for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
        if run.remote_job_origin is None and is_gone(run.tags)
    ]
    for run in left:
        instance.report_run_failed(run, "The process that worked on this run was killed, or its machine went down.")
        # Dagster promises a retry of it, and can make none of a run that was not launched.
        instance.add_run_tags(run.run_id, {WILL_RETRY: "false"})
    return [run.run_id for run in left]
