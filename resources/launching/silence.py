"""How long something has not changed, as one watcher sees it: the deadline of a lease, or the node of a pod.

Belongs here: the memory of one watcher. It counts by its own clock, so the clocks of workers, PostgreSQL and the
watcher may differ. Does not belong here: what silence means (resources/launching/verdict.py).
"""

import time
from collections.abc import Callable

# Leases that a watcher remembers.
LONGEST_MEMORY = 10_000


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
