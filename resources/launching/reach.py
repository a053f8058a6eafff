"""Whether holders can be reached: the second sign of a loss, beside a lease that is silent in PostgreSQL.

A holder counts as unreachable if nobody answers at its port, and all of this holds too:
- It answered this watcher before, while it renewed its lease. So a network policy never looks like a loss.
- It was called after the watcher had found its lease silent.
- A witness answers between two calls of the holder. So a watcher that lost its own network, or had lost it, does not
  judge.

Belongs here: when a holder is called, and what an answer is worth. Does not belong here: what follows for its run
(resources/launching/verdict.py).
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum

from resources.launching.silence import LONGEST_MEMORY

log = logging.getLogger(__name__)
# Seconds between two calls of a holder that renews its lease.
PAUSE = 30.0
# Seconds that a first call may take, and those after the witness. If the first packet of a connection is lost, the
# kernel sends it again after a second. All of them end before the check at which a silent holder may be given up.
FIRST, AGAIN = 0.3, (0.3, 1.2)


class Answer(Enum):
    """What became of a call."""

    NONE = "nothing is known: nobody was called, or the witness does not answer either"
    YES = "the holder's machine answered"
    NO = "it did not, and the witness did"


@dataclass
class Line:
    """What is known of one holder.

    Attributes:
        host: its address; None: not known yet.
        called: when it was called last, by the watcher's clock.
        call: what becomes of that call; None: it has ended.
        answer: to the last call that has ended.
        answered: when that call began.
        is_trusted: whether the holder answered when it renewed its lease the last time.
    """

    host: str | None = None
    called: float = float("-inf")
    call: "Future[Answer] | None" = None
    answer: Answer = Answer.NONE
    answered: float = float("-inf")
    is_trusted: bool = False


class Reach:
    """Calls holders, each in a thread of its own, because many may be lost at once.

    Args:
        knock: whether a holder answers at this address within so many seconds.
        witness: whether the witness answers, as quickly.
        start: begins a call in the background.
        most: leases that it remembers.
        clock: returns seconds; it never goes back.
    """

    def __init__(
        self,
        knock: Callable[[str, float], bool],
        witness: Callable[[], bool],
        start: Callable[[Callable[[], Answer]], Future[Answer]],
        most: int = LONGEST_MEMORY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._knock, self._witness, self._start, self._most, self._clock = knock, witness, start, most, clock
        self._lines = dict[str, Line]()

    def is_lost(self, lease: str, silent_seconds: float, find_host: Callable[[], str | None]) -> bool:
        """Whether the holder of a lease is unreachable now. It returns at once, and calls the holder for the next time.

        Args:
            lease: the name of the lease.
            silent_seconds: how long it was not renewed, as this watcher saw it.
            find_host: finds the address of its holder; None: it has none yet. It may raise.
        """
        now, line = self._clock(), self._lines.pop(lease, None) or Line()
        self._lines[lease] = line  # a dict is ordered: the lease asked for last is its last
        if len(self._lines) > self._most:
            del self._lines[next(iter(self._lines))]
        read_answer(line, silent_seconds)
        is_lost = line.is_trusted and line.answer is Answer.NO and now - line.answered < silent_seconds
        if line.call is None and (silent_seconds > 0 or now - line.called >= PAUSE):
            line.called, line.call = now, self._start(lambda: self._call(line, find_host))
        return is_lost

    def _call(self, line: Line, find_host: Callable[[], str | None]) -> Answer:
        try:
            line.host = line.host or find_host()
        except Exception as error:  # noqa: BLE001 (whatever it is, nothing is known of the holder)
            log.info("the address of a holder is not known: %s", error)
        if line.host is None:
            return Answer.NONE
        answers = self._knock(line.host, FIRST)
        has_witness = self._witness()  # also beside an answer, because it then remembers the addresses that it found
        if not (answers or has_witness):
            return Answer.NONE
        has_answered = answers or any(self._knock(line.host, seconds) for seconds in AGAIN)
        return Answer.YES if has_answered else Answer.NO


def read_answer(line: Line, silent_seconds: float) -> None:
    """Takes over what became of a call that has ended.

    A holder that renews its lease and does not answer can't be reached from here, whether it lives or not.
    """
    if line.call is None or not line.call.done():
        return
    line.answer, line.answered, line.call = line.call.result(), line.called, None
    if line.answer is Answer.YES:
        line.is_trusted = True
    elif line.answer is Answer.NO and silent_seconds == 0:
        line.is_trusted = False
