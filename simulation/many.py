"""Many histories on all cores, and what became of them."""

import gc
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from simulation.guards import Guard
from simulation.history import Outcome, live_through

# Histories that a process lives through before it says what became of them.
BATCH = 50


@dataclass(frozen=True)
class Tally:
    """What became of some histories.

    Attributes:
        histories: how many there were.
        retries: runs that were retried in them.
        wrong_verdicts: workers that were given up although no fault had struck them.
        broken: the seeds of those that broke an invariant, and which.
    """

    histories: int = 0
    retries: int = 0
    wrong_verdicts: int = 0
    broken: tuple[tuple[int, str], ...] = ()

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.histories + other.histories,
            self.retries + other.retries,
            self.wrong_verdicts + other.wrong_verdicts,
            self.broken + other.broken,
        )


def live_through_many(seeds: range, off: Iterable[Guard] = (), *, until_broken: bool = False) -> Tally:
    """Lives through the histories of these seeds.

    Args:
        seeds: one for each history.
        off: guards that their worlds lack.
        until_broken: whether it ends with the first batch in which an invariant was broken.
    """
    batches = [(seeds[begin : begin + BATCH], tuple(off)) for begin in range(0, len(seeds), BATCH)]
    total = Tally()
    # A fork of this process could wait for ever for a lock that a thread of it held, such as that of a test's server.
    # The process that forks has no threads, and has imported what the histories need.
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    # Not multiprocessing's own pool. It ends with SIGTERM, which these processes ignore: Dagster gives it the handler
    # of SIGINT, and a fork server ignores that. And it waits for ever if one of its processes has died.
    with ProcessPoolExecutor(min(os.cpu_count() or 1, len(batches)), mp_context=context) as pool:
        # Not `pool.map`: if a process dies, it cancels the other batches, which Python's pool then can't end any more.
        for batch in [pool.submit(live_through_batch, batch) for batch in batches]:
            total += batch.result()
            if until_broken and total.broken:
                pool.shutdown(cancel_futures=True)
                break
    return total


def live_through_batch(batch: tuple[range, tuple[Guard, ...]]) -> Tally:
    """Lives through a few histories, one after the other."""
    gc.freeze()  # what was imported is not looked through again and again for garbage
    seeds, off = batch
    return sum((tally_up(live_through(seed, off)) for seed in seeds), Tally())


def tally_up(outcome: Outcome) -> Tally:
    """The tally of one history."""
    broken = ((outcome.seed, outcome.broken),) if outcome.broken else ()
    return Tally(1, outcome.retries, outcome.wrong_verdicts, broken)


def format_timeline(outcome: Outcome, last: int = 40) -> Iterator[str]:
    """The last lines of a timeline."""
    shown = outcome.timeline[-last:]
    if len(shown) < len(outcome.timeline):
        yield f"     …   ({len(outcome.timeline) - len(shown)} lines before these)"
    for seconds, who, what in shown:
        yield f"{seconds:8.2f}  {who:<18} {what}"
