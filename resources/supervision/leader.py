"""Who acts while others stand by: the holder of a lease, which the kernel ends if it can't renew it."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from resources.supervision.lease import Lease

log = logging.getLogger(__name__)


def die_unless_called_again(within: float) -> None:
    """Sets the dead man's switch: the kernel ends this process, unless this is called again in time.

    It is SIGALRM's default action: a process that was frozen and wakes up late ends before its next instruction, as
    nothing in it is asked. It does nothing to process 1 of a container, for which there are no default actions, and
    its clock stands still while a whole machine sleeps.

    Args:
        within: seconds; 0 or less is now.
    """
    signal.setitimer(signal.ITIMER_REAL, max(within, 1e-6))


def lead(lease: Lease, act: Callable[[], None], margin: float = 2, pause: float = 1) -> None:
    """Waits for the lease, acts under it, and gives it back. Whoever can't renew it ends before another may take it.

    Args:
        lease: it must last longer than margin and pause together.
        act: what only one may do; returns when it is to end.
        margin: seconds by which the end comes before the deadline, for what was sent and is still on its way.
        pause: seconds between two questions.

    Raises:
        RuntimeError: this is process 1 of a container, which the switch can't end.
    """
    import psycopg2

    if os.getpid() == 1:
        raise RuntimeError("process 1 can't be ended by its own alarm: set shareProcessNamespace in the pod's spec")
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    while not _asked(lease, lease.take, margin):
        time.sleep(pause)
    log.info("%s holds the lease %r with fence %d", lease.holder, lease.name, lease.fence)
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(pause):
            if _asked(lease, lease.renew, margin) is False:
                log.error("the lease %r is another's: %s ends", lease.name, lease.holder)
                os.kill(os.getpid(), signal.SIGKILL)

    renewing = threading.Thread(target=renew, name="lease", daemon=True)
    renewing.start()
    try:
        act()
    finally:
        ended.set()
        renewing.join()
        with suppress(psycopg2.Error):  # it then ends by itself
            lease.release()


def _asked(lease: Lease, question: Callable[[], bool], margin: float) -> bool | None:
    """The answer, or None if the database can't be asked. Yes sets the switch anew.

    It counts from before the question was sent, and the database from after that.
    """
    import psycopg2

    asked = time.monotonic()
    try:
        answer = question()
    except psycopg2.Error as error:
        log.warning("the lease %r can't be asked for: %s", lease.name, " ".join(str(error).split()))
        return None
    if answer:
        die_unless_called_again(asked + lease.seconds - margin - time.monotonic())
    return answer
