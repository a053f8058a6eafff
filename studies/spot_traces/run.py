"""Which runs are requested, under which conditions they run, and how they end."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from random import Random

import dagster as dg

from sensors.refresh_schedule import FIRST_DAY, decide


@dataclass(frozen=True)
class Training:
    """Seconds of work, in trees that take so many seconds each."""

    work: float
    tree: float


@dataclass(frozen=True)
class Platform:
    """The conditions of a run beside the market. Durations in seconds.

    Args:
        retries: that a run may have.
        spot_attempts: that are bound to spot nodes; later ones are on demand.
        start_timeout: without a machine after which a run has failed.
        notice: before a machine goes; 0: none.
        noticed: from a loss without notice to the failure of the run, by the lease of its worker.
        given_up: the same of one that has no worker yet, and no lease.
        restart: from the failure of the run, if a machine is there, to the training that runs again.
        first: from the request of an undisturbed run to its first step.
        writing, reading: of one object.
        forgets: share of the retries that the daemon promises and does not make.
        blocks: whether a training is made in blocks; otherwise every attempt starts from zero.
        seed: of what is drawn.
    """

    retries: int
    spot_attempts: int
    start_timeout: float
    notice: float
    noticed: float
    given_up: float
    restart: float
    first: float
    writing: float
    reading: float
    forgets: float
    blocks: bool = True
    seed: int = 0

    def make_random(self, *what: object) -> Random:
        """A random generator that depends on the seed and on these values only."""
        return Random(f"{self.seed} {what}")

    def draw(self, *what: object) -> float:
        """A number below 1."""
        return self.make_random(*what).random()


@dataclass
class Outcome:
    """How a run ended.

    Args:
        completed: it has trained to its end.
        retries: how many it had.
        bought: seconds of machines.
        bought_on_demand: how many of these were of machines on demand.
        lost: seconds of work lost, at each interruption.
        down: seconds from each interruption to training again, if it did.
        unstarted: attempts that got no machine.
    """

    completed: bool = False
    retries: int = 0
    bought: float = 0
    bought_on_demand: float = 0
    lost: list[float] = field(default_factory=list)
    down: list[float] = field(default_factory=list)
    unstarted: int = 0


def request_times(weeks: float, every: float | None, seed: int = 0) -> Iterator[float]:
    """The seconds at which runs are requested: once in every so many hours, at random, or by the refresh schedule."""
    if every:
        # At fixed hours, in step with the ticks of a trace, runs would meet some of its losses only.
        draw = Random(seed)
        yield from ((number + draw.random()) * every * 3600 for number in range(math.ceil(weeks * 7 * 24 / every)))
        return
    start = datetime.combine(FIRST_DAY, time(), UTC)
    for day in range(math.ceil(weeks * 7)):
        tick = start + timedelta(days=day)
        if isinstance(decide(tick, tick), dg.RunRequest):
            yield (tick - start).total_seconds()
