"""Of 10,000 promised retries none is lost and none comes twice, while daemon and code server die at random.

The clock is simulated. The retry rule is the real one, and so is what the index `one_retry` keeps (it is tested in
tests/assets/instance/test_instance_storage.py). Dagster's daemon is modelled on what it does: it reads each failure
once, and never tries again what goes wrong then (dagster issues 20730, 14605, 33741).
"""

import random
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field

import pytest

from resources.history.attempt import Attempt
from resources.history.retry_rule import DAEMON_SECONDS, find_missing_retry

FAILURES, DAY, TICK = 10_000, 86_400.0, 15.0


@dataclass
class Part:
    """A daemon or a code server that is there, dies, and comes back: the times at which this changes."""

    changes: list[float]

    @classmethod
    def dying(cls, chance: random.Random, lives: float, away: float) -> "Part":
        changes, now = [], 0.0
        while now < 2 * DAY:
            for mean in (lives, away):
                now += chance.expovariate(1 / mean)
                changes.append(now)
        return cls(changes)

    def is_there(self, moment: float) -> bool:
        return bisect_right(self.changes, moment) % 2 == 0

    def find_return(self, moment: float) -> float:
        """When it is there, from this moment on."""
        return moment if self.is_there(moment) else self.changes[bisect_right(self.changes, moment)]

    def stays(self, since: float, until: float) -> bool:
        return self.is_there(since) and bisect_right(self.changes, since) == bisect_right(self.changes, until)


@dataclass
class World:
    """What PostgreSQL knows: the retries that were launched, and when. With the index it takes one of each run."""

    chance: random.Random
    daemon: Part
    server: Part
    indexed: bool
    launched: dict[str, list[float]] = field(default_factory=dict)

    def launch(self, run: str, moment: float) -> None:
        retries = self.launched.setdefault(run, [])
        if not (self.indexed and retries):
            retries.append(moment)

    def read_failure(self, run: str, failed: float) -> None:
        """The daemon, once, when it is there. The code server must be there too, and one in 500 is passed over."""
        read = self.daemon.find_return(failed) + self.chance.uniform(0, 2)
        launched = read + self.chance.uniform(0, 2)
        is_well = self.daemon.stays(read, launched) and self.server.stays(read, launched)
        if is_well and self.chance.random() > 0.002:
            self.launch(run, launched)

    def tick(self, moment: float, failures: list[tuple[str, float]]) -> None:
        """The sensor, over the runs that have failed by now."""
        for run, failed in failures:
            retries = [each for each in self.launched.get(run, []) if each <= moment]
            group = [Attempt(run, run, began=True, ended=True, failed=failed)]
            group += [Attempt(f"{run}+", run, run, began=True, ended=True, failed=failed) for _ in retries]
            late = moment + self.chance.uniform(0, 3)
            is_found = find_missing_retry(group, 20, moment) == run
            if is_found and self.daemon.stays(moment, late) and self.server.stays(moment, late):
                self.launch(run, late)


def live_through(seed: int, indexed: bool) -> tuple[dict[str, float], World]:
    """A day of failures, and what was launched for each."""
    chance = random.Random(seed)
    world = World(chance, Part.dying(chance, 600, 40), Part.dying(chance, 600, 40), indexed)
    failures = {f"run {number}": chance.uniform(0, DAY) for number in range(FAILURES)}
    for run, failed in failures.items():
        world.read_failure(run, failed)
    # The sensor sees a run from its failure on. A run that was retried more than a minute ago can change no more.
    coming, waiting, moment = deque(sorted(failures.items(), key=lambda each: each[1])), [], 0.0
    while moment < DAY + 3600:
        moment += TICK + chance.uniform(0, 1)
        while coming and coming[0][1] <= moment:
            waiting.append(coming.popleft())
        if world.daemon.is_there(moment) and world.server.is_there(moment):
            world.tick(moment, waiting)
            waiting = [each for each in waiting if not is_settled(world.launched.get(each[0], []), moment)]
    return failures, world


def is_settled(retries: list[float], moment: float) -> bool:
    return any(retry < moment - 60 for retry in retries)


@pytest.fixture(scope="module")
def day() -> tuple[dict[str, float], World]:
    return live_through(0, indexed=True)


def test_of_10_000_promised_retries_none_is_lost_and_none_comes_twice(day) -> None:
    failures, world = day
    lost = [run for run in failures if not world.launched.get(run)]
    doubled = [run for run, retries in world.launched.items() if len(retries) > 1]
    assert (len(failures), lost, doubled) == (FAILURES, [], [])


def test_no_retry_is_missing_for_longer_than_a_minute_in_which_daemon_and_code_server_are_there(day) -> None:
    failures, world = day
    for run, failed in failures.items():
        retried, began = world.launched[run][0], failed
        while began < retried:
            began = max(world.daemon.find_return(began), world.server.find_return(began))
            until = began + DAEMON_SECONDS + 2 * TICK
            if world.daemon.stays(began, until) and world.server.stays(began, until):
                assert retried <= until, f"{run} failed at {failed:.0f} and waited until {retried:.0f}"
                break
            began += 1


def test_without_the_sensor_some_are_lost_and_without_the_index_some_come_twice() -> None:
    chance = random.Random(0)
    alone = World(chance, Part.dying(chance, 600, 40), Part.dying(chance, 600, 40), indexed=True)
    for number in range(FAILURES):
        alone.read_failure(f"run {number}", chance.uniform(0, DAY))
    assert len(alone.launched) < FAILURES
    _, without_index = live_through(0, indexed=False)
    assert any(len(retries) > 1 for retries in without_index.launched.values())
