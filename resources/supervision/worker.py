"""The first process of a run's pod, as `python -m resources.supervision.worker dagster api execute_run …`.

It holds the lease of the run while the worker below it works, so that a loss is noticed within seconds and without
Kubernetes, and ends a worker that lost it (docs/recovery.md). A process of its own renews in time however long the
worker computes; a database that is away is waited for, as the worker waits for it.
"""

import logging
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from resources.deployment import Deployment
from resources.environment import child_environment
from resources.machine.process_status import stat
from resources.supervision.fence import WORKER, raise_fence
from resources.supervision.lease import Lease

log = logging.getLogger(__name__)
WATCHED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)
# Where the leases are is no business of the code below: a URL that lacks a password must not get this one.
OURS = ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD")


def main() -> int:
    """Runs this command's arguments as the worker of a run; returns its exit code.

    The deployment says whose lease it is (a run, or a step with a pod of its own), how long the lease lasts, and which
    attempt this is. libpq's variables (PGHOST, …) say in which database the lease is.

    Raises:
        DeploymentError: the deployment names no run.
    """
    logging.basicConfig(format="%(message)s")
    deployment = Deployment.from_environment()
    name = "/".join(["run", deployment.require("run_id"), *filter(None, [deployment.step])])
    lease = Lease("", name, deployment.host, deployment.run_lease_seconds)
    environment = child_environment(without=OURS, PGAPPNAME=f"{WORKER}{lease.holder}")
    return supervise(sys.argv[1:], environment, lease, delay=backoff(deployment.attempt))


def backoff(
    attempt: int, free: int = 3, most: float = 60, draw: Callable[[float, float], float] = random.uniform
) -> float:
    """Seconds that an attempt waits before it begins: none at first, then more and more, so that a storm passes.

    A random part of it, or all that were lost together would come back together ("full jitter", Brooker, AWS, 2015).
    """
    return draw(0, min(most, 2 ** (attempt - free))) if attempt > free else 0.0


def supervise(
    command: Sequence[str], environment: Mapping[str, str], lease: Lease, pause: float = 1.0, delay: float = 0.0
) -> int:
    """Runs the command under the lease, and passes on the signals that ask it to end.

    Args:
        command: the worker's, whose first word is looked for in PATH.
        environment: the worker's.
        lease: not taken yet.
        pause: seconds between two renewals.
        delay: seconds before it begins.

    Returns:
        Its exit code, as a shell would give it.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    if (code := _wait_for(lease, pause, delay)) is not None:
        return code
    worker = os.posix_spawnp(command[0], list(command), dict(environment), setsigmask=[])
    due, told = time.monotonic() + pause, False
    while True:
        if time.monotonic() >= due:
            due = time.monotonic() + pause
            if not held(lease, renew=not frozen(worker)):
                log.error("%s is another's, or was revoked: its worker is ended", lease.name)
                os.kill(worker, signal.SIGKILL)
        asked = signal.sigtimedwait(WATCHED, pause)
        if asked and asked.si_signo != signal.SIGCHLD:
            told = True
            os.kill(worker, asked.si_signo)
        # As the first process of its container it is the parent of all that lost theirs.
        for pid, status in iter(lambda: os.waitpid(-1, os.WNOHANG), (0, 0)):
            if pid == worker:
                if not told:  # a lease that is left behind says that its worker did not end by itself
                    _give_back(lease)
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code


def _wait_for(lease: Lease, pause: float, delay: float) -> int | None:
    """Waits out the delay and takes the lease, without which the worker's first word would be refused.

    Returns:
        The exit code, if no worker is to begin.
    """
    asked = signal.sigtimedwait(WATCHED, delay) if delay else None
    while asked is None and held(lease):
        if lease.fence:
            return None
        asked = signal.sigtimedwait(WATCHED, pause)
    if asked:
        return 128 + asked.si_signo
    log.error("%s is another's, or was revoked: no worker begins", lease.name)
    return 1


def held(lease: Lease, renew: bool = True) -> bool:
    """Takes or renews the lease, or only looks. False: it is another's; no answer has not said so."""
    import psycopg2

    try:
        if lease.fence:
            return lease.renew() if renew else lease.holds()
        raise_fence(lease.leases)
        return lease.take_or_find()
    except psycopg2.Error as error:
        log.warning("the lease %s can't be renewed: %s", lease.name, " ".join(str(error).split()))
        return True


def frozen(process: int) -> bool:
    """Whether a process was stopped by SIGSTOP: it does nothing, so that its lease must not look as if it did."""
    return stat(process)[0] in "Tt"


def _give_back(lease: Lease) -> None:
    import psycopg2

    with suppress(psycopg2.Error):  # it then ends by itself
        if lease.fence:
            lease.end()


if __name__ == "__main__":
    sys.exit(main())
