"""Of 10,000 promised retries none is lost and none comes twice, while daemon and code server die at random.

On a simulated clock, with the sensor's own decision and what the index `one_retry` keeps (which is tested where it is,
in tests/assets/instance/test_instance_storage.py). Dagster's daemon is modelled on what it does: it reads of a
failure once, and whatever goes wrong then is never tried again (dagster issues 20730, 14605, 33741).
"""

import random
from bisect import bisect_right
from dataclasses import dataclass, field

import pytest

from sensors.lost_retries import PATIENCE, Ended, forgotten

FAILURES, DAY, TICK = 10_000, 86_400.0, 15.0


@dataclass
class Part:
    """A daemon or a code server that is there, dies, and comes back: the times at which it changes, from there."""

    changes: list[float]

    @classmethod
    def dying(cls, chance: random.Random, lives: float, away: float) -> "Part":
        changes, now = [], 0.0
        while now < 2 * DAY:
            for mean in (lives, away):
                now += chance.expovariate(1 / mean)
                changes.append(now)
        return cls(changes)

    def there(self, at: float) -> bool:
        return bisect_right(self.changes, at) % 2 == 0

    def next_there(self, at: float) -> float:
        return at if self.there(at) else self.changes[bisect_right(self.changes, at)]

    def stays(self, since: float, until: float) -> bool:
        return self.there(since) and bisect_right(self.changes, since) == bisect_right(self.changes, until)


@dataclass
class World:
    """What PostgreSQL knows: the retries that were launched, and when. If it is fenced, it takes one of each run."""

    chance: random.Random
    daemon: Part
    server: Part
    fenced: bool
    launched: dict[str, list[float]] = field(default_factory=dict)

    def launch(self, run: str, at: float) -> None:
        retries = self.launched.setdefault(run, [])
        if not (self.fenced and retries):
            retries.append(at)

    def daemon_reads(self, run: str, failed: float) -> None:
        """Once, when it is there; then the code server must be there too, and one in 500 is skipped by its cursor."""
        read = self.daemon.next_there(failed) + self.chance.uniform(0, 2)
        launched = read + self.chance.uniform(0, 2)
        well = self.daemon.stays(read, launched) and self.server.stays(read, launched)
        if well and self.chance.random() > 0.002:
            self.launch(run, launched)

    def sensor_ticks(self, at: float, failures: dict[str, float]) -> None:
        for run, failed in failures.items():
            if failed > at:
                continue
            seen = [each for each in self.launched.get(run, []) if each <= at]
            group = [Ended(run, None, failed, stays=False)] + [Ended(f"{run}+", run, None, stays=False) for _ in seen]
            late = at + self.chance.uniform(0, 3)
            if forgotten(group, 20, at) and self.daemon.stays(at, late) and self.server.stays(at, late):
                self.launch(run, late)


def lived_through(seed: int, fenced: bool) -> tuple[dict[str, float], World]:
    """A day of failures, and what was launched for each."""
    chance = random.Random(seed)
    world = World(chance, Part.dying(chance, 600, 40), Part.dying(chance, 600, 40), fenced)
    failures = {f"run {number}": chance.uniform(0, DAY) for number in range(FAILURES)}
    for run, failed in failures.items():
        world.daemon_reads(run, failed)
    # What was retried long ago is not looked at again: nothing can come of it.
    waiting, at = dict(failures), 0.0
    while at < DAY + 3600:
        at += TICK + chance.uniform(0, 1)
        if world.daemon.there(at) and world.server.there(at):
            world.sensor_ticks(at, waiting)
            waiting = {
                run: failed
                for run, failed in waiting.items()
                if not any(retry < at - 60 for retry in world.launched.get(run, []))
            }
    return failures, world


@pytest.fixture(scope="module")
def day() -> tuple[dict[str, float], World]:
    return lived_through(0, fenced=True)


def test_of_10_000_promised_retries_none_is_lost_and_none_doubled(day) -> None:
    failures, world = day
    lost = [run for run in failures if not world.launched.get(run)]
    doubled = [run for run, retries in world.launched.items() if len(retries) > 1]
    assert (len(failures), lost, doubled) == (FAILURES, [], [])


def test_none_is_missing_for_longer_than_a_minute_in_which_all_are_there(day) -> None:
    failures, world = day
    for run, failed in failures.items():
        retried, began = world.launched[run][0], failed
        while began < retried:
            began = max(world.daemon.next_there(began), world.server.next_there(began))
            until = began + PATIENCE + 2 * TICK
            if world.daemon.stays(began, until) and world.server.stays(began, until):
                assert retried <= until, f"{run} failed at {failed:.0f} and waited until {retried:.0f}"
                break
            began += 1


def test_without_the_sensor_some_are_lost_and_without_the_fence_some_come_twice() -> None:
    chance = random.Random(0)
    alone = World(chance, Part.dying(chance, 600, 40), Part.dying(chance, 600, 40), fenced=True)
    for number in range(FAILURES):
        alone.daemon_reads(f"run {number}", chance.uniform(0, DAY))
    assert len(alone.launched) < FAILURES
    _, unfenced = lived_through(0, fenced=False)
    assert any(len(retries) > 1 for retries in unfenced.launched.values())
