"""The commits of a series: one at a time, beside the making of the next block.

Belongs here: the thread that commits, and how its outcome or its error reaches the loop. Does not belong here: which
items a block has (`series`), and when it is due (`pace`).
"""

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Self

# Where commits run: a thread of their own, which ends with the step.
Beside = Callable[[], Executor]
use_a_thread: Beside = partial(ThreadPoolExecutor, 1, "commit")
# A block: its first item, and all of them.
Commit = Callable[[int, list[bytes]], list[bytes]]
# What was to be committed, and the items that stand in the store: those of another attempt, if it was first.
Report = Callable[[list[bytes], list[bytes]], None]


class Commits:
    """Commits blocks, at most one at a time; a context that is left when none is under way any more.

    Args:
        commit: commits a block and returns the items that stand; it is called beside the caller's thread.
        report: is called in the caller's thread when a block is committed, and never if that failed.
        beside: opens what commits run in.
        clock: seconds, by which a commit is measured.

    Attributes:
        seconds: how long the last commit took that has ended; None: none was begun.
    """

    def __init__(
        self, commit: Commit, report: Report, beside: Beside = use_a_thread, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._commit, self._report, self._clock = commit, report, clock
        self._executor = beside()
        self._under_way: Future[list[bytes]] | None = None
        self._made: list[bytes] = []
        self.seconds: float | None = None

    def begin(self, first: int, made: list[bytes]) -> None:
        """Begins to commit a block, after the former one is committed.

        Raises:
            StoreError: the former one could not be committed.
        """
        self.settle()
        self.seconds = self.seconds or 0.0
        self._made, self._under_way = made, self._executor.submit(self._measure, first, made)

    def settle(self, only_if_done: bool = False) -> None:
        """Waits until the block that is under way is committed, and reports it.

        Args:
            only_if_done: does nothing if the commit is still under way.

        Raises:
            StoreError: the block could not be committed.
        """
        if (future := self._under_way) and (future.done() or not only_if_done):
            standing = future.result()
            self._under_way = None
            self._report(self._made, standing)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        """Settles what is under way. An error that ends the step stays its error, and says if the commit failed too."""
        try:
            if error is None:
                self.settle()
            elif future := self._under_way:
                failure = future.exception()
                if failure is None:
                    self.settle()
                elif failure is not error:
                    error.add_note(f"the block that was being committed is lost: {failure}")
        finally:
            self._executor.shutdown()

    def _measure(self, first: int, made: list[bytes]) -> list[bytes]:
        began = self._clock()
        standing = self._commit(first, made)
        self.seconds = self._clock() - began
        return standing
