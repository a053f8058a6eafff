"""The pace of blocks: when one is due, and how a notice waits for the items under way.

Belongs here: sizes, seconds and notices. Does not belong here: where blocks lie (`series`).
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Seconds of work for each core between two looks for a notice, for items that are made several at a time.
NOTICE_SECONDS = 0.3


def choose_seconds(committing: float | None, max_share: float, max_seconds: float) -> float:
    """Seconds of work in the next block: committing is a small share of it, and a loss is short.

    While a block is committed, the next one is made. A lost worker loses both, so each has at most half of the longest.

    Args:
        committing: seconds that committing the last block took; None: none was begun, so the first one is short.
        max_share: the greatest share of the time that committing may take.
        max_seconds: how much work may be lost.
    """
    if committing is None:
        return 0.0
    return min(max(committing / max_share, max_seconds / 4), max_seconds / 2)


def is_due(made: int, took: float, seconds: float) -> bool:
    """Whether a block has no room for one more item.

    Args:
        made: its items.
        took: seconds that making them took.
        seconds: of work that it may have.
    """
    return took + took / made > seconds


def choose_size(made: int, took: float, seconds: float, fewest: int = 1) -> int:
    """How many items are made in so many seconds, as far as the last ones tell.

    Args:
        made: the last items.
        took: seconds that making them took.
        seconds: of work.
        fewest: the least number.
    """
    return max(fewest, min(int(made * seconds / max(took, 1e-6)), made * 16))


@contextmanager
def hold_notices() -> Iterator[list[int]]:
    """Makes SIGTERM wait until the finished items are committed; yields a list that is empty unless one waits."""
    waiting: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield waiting
        return
    before = signal.signal(signal.SIGTERM, lambda number, _: waiting.append(number))
    try:
        yield waiting
    finally:
        signal.signal(signal.SIGTERM, before)
        if waiting:
            signal.raise_signal(signal.SIGTERM)
