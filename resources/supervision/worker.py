"""The first process of a run's pod, as `python -m resources.supervision.worker dagster api execute_run …`.

It holds the lease of the run while the worker, its child, works. So a loss is noticed within seconds and without
Kubernetes. It ends a worker that has lost the lease (docs/recovery.md). It is a process of its own, so it renews in
time even while the worker computes in C. While the database is away, it waits for it, as the worker does.
"""

import logging
import math
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from resources.deployment import Deployment
from resources.environment import child_environment
from resources.machine.process_status import read_status
from resources.supervision.fence import WORKER, raise_fence
from resources.supervision.lease import Lease
from resources.supervision.lease_table import name_run_lease
from resources.supervision.port import close_calls, open_port

log = logging.getLogger(__name__)
SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)
# The worker does not get the address of the leases: a database URL of its own that lacks a password would get this one.
LEASE_DATABASE = ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD")
# Seconds that the worker of a step has to end by itself after its run has ended. Dagster's storage refuses its writes.
TIME_TO_END = 10.0
# The first retries start at once. After them each waits, at most twice as long as the one before, and a minute at most.
RETRIES_WITHOUT_DELAY, LONGEST_DELAY = 3, 60


def main() -> int:
    """Runs this command's arguments as the worker of a run; returns its exit code.

    The deployment names the run, and the step if the step has a pod of its own. It has the lease's length and the
    number of this attempt. libpq's variables (PGHOST, …) are the address of the database of the leases.

    Raises:
        DeploymentError: the deployment names no run.
    """
    logging.basicConfig(format="%(message)s")
    deployment = Deployment.from_environment()
    name = name_run_lease(deployment.require("run_id"), deployment.step)
    lease = Lease("", name, deployment.host, deployment.run_lease_seconds)
    environment = child_environment(without=LEASE_DATABASE, PGAPPNAME=f"{WORKER}{lease.holder}")
    return supervise(sys.argv[1:], environment, lease, delay=draw_delay(deployment.attempt), port=open_port())


def draw_delay(attempt: int, draw: Callable[[float, float], float] = random.uniform) -> float:
    """Draws the seconds that an attempt waits before it begins.

    They are random, because attempts that were lost together would otherwise come back together ("full jitter",
    Brooker, AWS, 2015).

    Args:
        attempt: 0 for a run that is no retry.
        draw: returns a number between its two arguments.
    """
    if attempt <= RETRIES_WITHOUT_DELAY:
        return 0.0
    return draw(0, min(LONGEST_DELAY, 2 ** (attempt - RETRIES_WITHOUT_DELAY)))


def supervise(
    command: Sequence[str],
    environment: Mapping[str, str],
    lease: Lease,
    pause: float = 1.0,
    delay: float = 0.0,
    port: socket.socket | None = None,
) -> int:
    """Runs the command while it holds the lease, and passes on the signals that ask it to end.

    Args:
        command: the worker's; its first word is looked up in PATH.
        environment: the worker's.
        lease: not taken yet.
        pause: seconds from the begin of a renewal to that of the next. If one takes longer, the next follows at once.
        delay: seconds before it begins.
        port: where it is called, by whoever wants to know whether its machine is there; None: nowhere.

    Returns:
        The command's exit code, as a shell would return it.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    if (code := _wait_for_lease(lease, pause, delay)) is not None:
        return code
    worker = os.posix_spawnp(command[0], list(command), dict(environment), setsigmask=[])
    due, kill_at, asked_to_end = time.monotonic() + pause, math.inf, False
    while True:
        if time.monotonic() >= due:
            due = time.monotonic() + pause
            if not hold(lease, renew=not is_frozen(worker)):
                kill_at = min(kill_at, time.monotonic() + _find_time_to_end(lease))
            if time.monotonic() >= kill_at:
                log.error("the lease %s was revoked, has another holder or is gone: its worker is ended", lease.name)
                os.kill(worker, signal.SIGKILL)
        if port:
            close_calls(port)
        received = _wait_until(due)
        if received and received.si_signo != signal.SIGCHLD:
            asked_to_end = True
            os.kill(worker, received.si_signo)
        if (code := _reap(worker)) is not None:
            if not asked_to_end:  # the launcher knows by a lease left behind that the worker was asked to end
                _end_lease(lease)
            return code if code >= 0 else 128 - code


def _wait_until(due: float) -> signal.struct_siginfo | None:
    """Waits until a moment of the monotonic clock, or for a signal before it; the signal."""
    return signal.sigtimedwait(SIGNALS, max(0.0, due - time.monotonic()))


def _reap(worker: int) -> int | None:
    """The exit code of the worker, if it has ended, as Python says it: negative for a signal.

    As the first process of its container this one is the parent of every process whose parent has ended.
    """
    code = None
    for pid, status in iter(lambda: os.waitpid(-1, os.WNOHANG), (0, 0)):
        if pid == worker:
            code = os.waitstatus_to_exitcode(status)
            break  # without children waitpid is an error
    return code


def _wait_for_lease(lease: Lease, pause: float, delay: float) -> int | None:
    """Waits for the delay, then takes the lease. PostgreSQL would refuse all that a worker without one writes.

    Returns:
        The exit code if no worker may begin; None if the lease is held.
    """
    due = time.monotonic() + delay
    received = _wait_until(due) if delay else None
    while received is None:
        due = time.monotonic() + pause
        if not hold(lease):
            break
        if lease.fence:
            return None
        received = _wait_until(due)
    if received:
        return 128 + received.si_signo
    log.error("the lease %s was revoked or has another holder: no worker begins", lease.name)
    return 1


def hold(lease: Lease, renew: bool = True) -> bool:
    """Takes the lease, or renews it.

    Args:
        lease: the one to hold.
        renew: False only checks a lease that was taken before.

    Returns:
        False if the lease is another's or was revoked. A database that does not answer has said neither: True.
    """
    import psycopg2

    try:
        if lease.fence:
            return lease.renew() if renew else lease.is_held()
        raise_fence(lease.connection)
        return lease.take_or_renew()
    except psycopg2.Error as error:
        log.warning("the lease %s can't be renewed: %s", lease.name, " ".join(str(error).split()))
        return True


def is_frozen(process: int) -> bool:
    """Whether a process was stopped by SIGSTOP. It does nothing, so its lease must not be renewed."""
    return read_status(process)[0] in "Tt"


def _find_time_to_end(lease: Lease) -> float:
    """Seconds that a worker without a lease has: none if it was given up, some if its run has ended in order."""
    import psycopg2

    try:
        return TIME_TO_END if lease.was_ended() else 0
    except psycopg2.Error:
        return 0


def _end_lease(lease: Lease) -> None:
    import psycopg2

    with suppress(psycopg2.Error):  # without an answer the lease ends by itself
        if lease.fence:
            lease.end()


if __name__ == "__main__":
    sys.exit(main())
