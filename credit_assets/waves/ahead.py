"""Scoring ahead: the next chunk is read and scored in a thread, while the last one is committed and recorded.

Both wait for PostgreSQL and for the store most of the time. At most one chunk is ahead, so a lost worker has made at
most one chunk that is not committed beside the one that it was about to commit.

Belongs here: the thread. Does not belong here: which chunk is next (`plans`), and what scoring is (`scoring`).
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from credit_assets.waves.scoring import ScoredChunk

Score = Callable[[Sequence[str]], ScoredChunk]


class ScoringAhead:
    """A thread that scores at most one chunk before it is asked for. It ends with the `with` block.

    Args:
        score: scores the locations of a chunk.
    """

    def __init__(self, score: Score) -> None:
        self._score, self._thread = score, ThreadPoolExecutor(1, thread_name_prefix="next chunk")
        self._begun: tuple[tuple[str, ...], Future[ScoredChunk]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)

    def begin(self, locations: Sequence[str]) -> None:
        """Begins to score these locations, which are probably the next chunk."""
        if locations:
            self._begun = tuple(locations), self._thread.submit(self._score, locations)

    def take(self, locations: Sequence[str]) -> ScoredChunk:
        """The scores of these locations: those that were begun, or else they are scored now.

        Raises:
            Whatever scoring raises.
        """
        begun, self._begun = self._begun, None
        if begun and begun[0] == tuple(locations):
            return begun[1].result()
        return self._score(locations)
