"""Starts a console script that ends with its parent: `python -m resources.machine.end_with_parent PARENT dagster …`.

A parent that is killed can end none of its children. They would live on, hold their locks, and serve a database that
the next command stops.

Belongs here: the wish to end, given to the kernel. Does not belong here: what the script does.
"""

import ctypes
import os
import signal
import sys

from resources.machine.console_script import load

PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int) -> None:
    """Lets the kernel send SIGTERM to this process when its parent ends. Linux alone can do that.

    Args:
        parent: its process number. If the parent has ended already, then this process ends at once.
    """
    # A process that was started by one that ignores SIGTERM would ignore it too.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    end_with_parent(int(sys.argv[1]))
    sys.exit(load(*sys.argv[2:])())
