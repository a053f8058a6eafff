"""The pace of blocks: how many items the next one has, and how a notice waits for the items under way.

Belongs here: sizes and notices. Does not belong here: where blocks lie (`series`).
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


def choose_size(
    made: int, took: float, committing: float, max_share: float, max_seconds: float, fewest: int = 1
) -> int:
    """Items of the next block: so many that committing is a small share of it, and so few that a loss is short.

    Args:
        made: items of the last block.
        took: seconds that making them took.
        committing: seconds that committing them took.
        max_share: the greatest share of the time that committing may take.
        max_seconds: how long a block may take to make.
        fewest: items that a block has at least.
    """
    wanted = min(max(committing / max_share, max_seconds / 4), max_seconds)
    return max(fewest, min(round(made * wanted / max(took, 1e-6)), made * 16))


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
