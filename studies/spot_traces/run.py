"""Which runs are requested, under which conditions they run, and how they end."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from random import Random

import dagster as dg

from sensors.schedules.refresh_schedule import FIRST_DAY, decide


@dataclass(frozen=True)
class Training:
    """The seconds of a training's work, and the seconds of each of its trees."""

    work: float
    tree: float


@dataclass(frozen=True)
class Platform:
    """The conditions of a run, except for the market. Durations are seconds.

    Args:
        retries: how many retries a run may have.
        spot_attempts: how many attempts are bound to spot nodes; later attempts are on demand.
        start_timeout: how long a run waits for a machine until it has failed.
        notice: how long before its loss a machine gets a notice; 0 for none.
        noticed: from a loss without notice to the failure of the run, if its worker has a lease.
        given_up: from a loss without notice to the failure of the run, if it has no worker and no lease yet.
        restart: from the failure of the run until it trains again, if a machine is there.
        first: from the request of an undisturbed run to its first step.
        writing, reading: to write and to read one object.
        forgets: share of the retries that the daemon promises and does not make.
        blocks: whether a training is made in blocks; if not, every attempt starts from zero.
        seed: of all random numbers.
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
        """A random number from 0 to 1."""
        return self.make_random(*what).random()


@dataclass
class Outcome:
    """How a run ended.

    Args:
        completed: whether it has trained to its end.
        retries: how many retries it had.
        bought: machine seconds.
        bought_on_demand: machine seconds on demand.
        lost: seconds of work lost, for each interruption.
        down: seconds until it trained again, for each interruption after which it did.
        unstarted: how many attempts got no machine.
    """

    completed: bool = False
    retries: int = 0
    bought: float = 0
    bought_on_demand: float = 0
    lost: list[float] = field(default_factory=list)
    down: list[float] = field(default_factory=list)
    unstarted: int = 0


def find_request_times(weeks: float, every: float | None, seed: int = 0) -> Iterator[float]:
    """When runs are requested, in seconds: at random once in every so many hours, or by the refresh schedule."""
    if every:
        # At fixed hours, runs would meet only some of a trace's losses, because its ticks are regular too.
        draw = Random(seed)
        yield from ((number + draw.random()) * every * 3600 for number in range(math.ceil(weeks * 7 * 24 / every)))
        return
    start = datetime.combine(FIRST_DAY, time(), UTC)
    for day in range(math.ceil(weeks * 7)):
        tick = start + timedelta(days=day)
        if isinstance(decide(tick, tick), dg.RunRequest):
            yield (tick - start).total_seconds()
