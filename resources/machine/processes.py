"""Runs that a process works on by itself, without a launcher. A run that a killed process has left is failed.

Nobody watches such a run. If it stayed in status STARTED, it would count for ever against the number of runs that may
be under way at once, and after some such runs nothing in the queue would start.

Belongs here: which process works on a run, and whether that process is gone. Does not belong here: runs that the
launcher started.
"""

import os
import re
import socket
from collections.abc import Mapping

import dagster as dg

from resources.history.run_groups import UNFINISHED
from resources.history.tags import PROCESS, WILL_RETRY
from resources.machine import process_status


def make_process_tag() -> dict[str, str]:
    """The tag of a run that this process works on: its machine, its number, and its start."""
    return {PROCESS: f"{socket.gethostname()} {os.getpid()} {describe_start(os.getpid())}".rstrip()}


def describe_start(process: int) -> str:
    """The boot and the clock tick in which a process was started; "" if Linux does not report them.

    They tell two processes apart that have had the same number. The result is `never` for a process that has ended and
    is still listed, because its parent has not read its exit code.
    """
    try:
        state, *fields = process_status.read_status(process)
        boot = (process_status.PROCESSES / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
    return "never" if state in "ZX" else f"{boot}.{fields[18]}"


def is_gone(tags: Mapping[str, str]) -> bool:
    """Whether the process in these tags was on this machine and has ended; False if nobody can know."""
    match = re.fullmatch(r"(\S+) (\d{1,9})(?: (\S+))?", tags.get(PROCESS, ""))
    if not match or match[1] != socket.gethostname():
        return False
    process, recorded_start = int(match[2]), match[3]
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # the process exists and belongs to another user
    start = describe_start(process)
    return bool(recorded_start and start) and start != recorded_start


def fail_left_runs(instance: dg.DagsterInstance) -> list[str]:
    """Fails every unfinished run whose process is gone, and returns the ids of these runs.

    A run that was launched is not failed: it may have inherited the tag from the run that it retries.
    """
    left = [
        run
        for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
        if run.remote_job_origin is None and is_gone(run.tags)
    ]
    for run in left:
        instance.report_run_failed(run, "The process that worked on this run was killed, or its machine went down.")
        # Dagster has promised a retry, and can't retry a run that was not launched.
        instance.add_run_tags(run.run_id, {WILL_RETRY: "false"})
    return [run.run_id for run in left]
