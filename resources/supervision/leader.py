"""The leader: one process acts while others stand by. It holds a lease, and the kernel ends it if it can't renew.

Belongs here: how a process waits for a lease, renews it and ends with it. Does not belong here: what the leader does.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from resources.errors import PlatformError
from resources.supervision.lease import Lease

log = logging.getLogger(__name__)
# Seconds between the leader's end and the lease's deadline, between two renewals, and between two tries to take it.
MARGIN, PAUSE, STAND_BY = 2.0, 0.5, 0.25


class NoAlarm(PlatformError, RuntimeError):
    """The kernel would not end this process at its alarm."""


def set_alarm(seconds: float) -> None:
    """Tells the kernel to end this process after so many seconds. A later call replaces the alarm of an earlier one.

    The signal is SIGALRM with its default action, so no code of this process runs. That holds for a process that was
    frozen and wakes up late: it ends before its next instruction. Two limits: process 1 of a container ignores default
    actions, and the alarm's clock stands still while a whole machine sleeps.

    Args:
        seconds: 0 or less ends the process now.
    """
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))


def lead(
    lease: Lease,
    act: Callable[[], None],
    margin: float = MARGIN,
    pause: float = PAUSE,
    stand_by: Callable[[], None] = lambda: None,
) -> None:
    """Waits for the lease, acts while it holds the lease, and gives it back.

    A leader that can't renew ends before another process may take the lease.

    Args:
        lease: it must last longer than margin and pause together.
        act: what only one process may do; it returns when the leader is to end.
        margin: seconds between the leader's end and the lease's deadline. What was sent before has time to arrive.
        pause: seconds between two renewals.
        stand_by: called after each answer that another holds the lease. It returns soon.

    Raises:
        NoAlarm: this is process 1 of a container, which no alarm can end.
    """
    import psycopg2

    if os.getpid() == 1:
        raise NoAlarm("the alarm can't end process 1 of a container: set shareProcessNamespace in the pod's spec")
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    while not (is_held := ask_in_time(lease, lease.take, margin)):
        if is_held is not None:
            stand_by()
        time.sleep(STAND_BY)
    log.info("%s holds the lease %r with fence %d", lease.holder, lease.name, lease.fence)
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(pause):
            if ask_in_time(lease, lease.renew, margin) is False:
                log.error("the lease %r has another holder: %s ends", lease.name, lease.holder)
                os.kill(os.getpid(), signal.SIGKILL)

    renewing = threading.Thread(target=renew, name="lease", daemon=True)
    renewing.start()
    try:
        act()
    finally:
        ended.set()
        renewing.join()
        with suppress(psycopg2.Error):  # without an answer the lease ends by itself
            lease.release()


def ask_in_time(
    lease: Lease,
    ask: Callable[[], bool],
    margin: float,
    clock: Callable[[], float] = time.monotonic,
    alarm: Callable[[float], None] = set_alarm,
) -> bool | None:
    """Asks the database for the lease. If the answer is yes, the alarm is set again.

    Our deadline starts before the query is sent, and the database's after it arrives. So ours always ends first.

    Args:
        lease: the one that is asked for.
        ask: the query: to take the lease, or to renew it.
        margin: seconds between the alarm and the deadline.
        clock: returns seconds; it never goes back.
        alarm: sets the alarm; as `set_alarm`.

    Returns:
        The answer; None if the database did not answer.
    """
    import psycopg2

    sent = clock()
    try:
        held = ask()
    except psycopg2.Error as error:
        log.warning("the database does not answer about the lease %r: %s", lease.name, " ".join(str(error).split()))
        return None
    if held:
        alarm(sent + lease.seconds - margin - clock())
    return held
