"""How long something has not changed, as one watcher sees it: the deadline of a lease, or the node of a pod.

Belongs here: the memory of one watcher, also of one that stands by. It counts by its own clock, so the clocks of
workers, PostgreSQL and the watcher may differ. Does not belong here: what silence means
(resources/launching/verdict.py).
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Self

# Leases that a watcher remembers.
LONGEST_MEMORY = 10_000
# Seconds between two looks of a watcher that stands by, and the longest time after which it still trusts its memory.
LOOK, TRUSTED = 1.0, 3.0


class SilenceWatch:
    """Measures for how long each lease has not been renewed, and each pod has not been taken by its node.

    Args:
        most: leases that it remembers; beyond them it forgets the one that was measured least recently, because nobody
            measures the lease of a run that has ended.
        clock: returns seconds; it never goes back.
    """

    def __init__(self, most: int = LONGEST_MEMORY, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._first_seen = dict[str, tuple[object, float]]()

    def measure(self, name: str, seen: object) -> float:
        """Seconds since this watcher first saw this of a lease, such as its deadline; 0 if it is another now."""
        now = self._clock()
        last = self._first_seen.pop(name, None)
        first = last if last and last[0] == seen else (seen, now)
        self._first_seen[name] = first  # a dict is ordered: the lease measured last is its last
        if len(self._first_seen) > self._most:
            del self._first_seen[next(iter(self._first_seen))]
        return now - first[1]

    def restart(self) -> None:
        """Begins all counts again: while PostgreSQL was away nobody could renew, so nobody was silent."""
        self._first_seen.clear()

    def copy(self) -> Self:
        """Another watch that remembers the same."""
        other = type(self)(self._most, self._clock)
        other._first_seen = dict(self._first_seen)
        return other


class Standby:
    """Watches all leases while another daemon leads: the next leader knows at once for how long each was silent.

    Nobody can renew while PostgreSQL does not answer. So it forgets everything after an error, and after a time without
    an answer. A leader needs no such rule, because its alarm ends it (resources/supervision/leader.py).

    Args:
        watch: remembers.
        list_deadlines: the deadlines of all leases, by name; `Leases.list_deadlines`.
        clock: that of the watch.
    """

    def __init__(
        self,
        watch: SilenceWatch,
        list_deadlines: Callable[[], Mapping[str, datetime]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._watch, self._list_deadlines, self._clock = watch, list_deadlines, clock
        self._looked = float("-inf")

    def look(self) -> None:
        """Looks at all leases, at most once a second."""
        import psycopg2

        if self._clock() - self._looked < LOOK:
            return
        try:
            deadlines = self._list_deadlines()
        except psycopg2.Error:
            self.forget()
            return
        now = self._clock()
        if now - self._looked > TRUSTED:
            self.forget()
        self._looked = now
        for name, deadline in deadlines.items():
            self._watch.measure(name, deadline)

    def forget(self) -> None:
        """Begins all counts again."""
        self._watch.restart()


# The watch of the daemon in this process. Dagster makes the launchers, so nobody can give them one.
STANDBY = SilenceWatch()
