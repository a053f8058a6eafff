"""One history: a world, two refreshes, some faults, and what must hold."""

import logging
import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest import mock

import tenacity
import tenacity.nap

from simulation.actors.daemon import Daemon
from simulation.actors.holder import start_pod
from simulation.faults import Striker
from simulation.guards import Guard
from simulation.invariants import find_broken_end
from simulation.loop import Loop, Process
from simulation.models.kubernetes import Cluster, Pod
from simulation.models.postgres import STATUS
from simulation.world import World, make_world

# Seconds: everything must be quiet by then, and what comes back late has so long to do harm.
DEADLINE, AFTERWARDS = 400.0, 6.0
DAEMONS, NODES, LONGEST_BETWEEN = 2, 3, 12.0


@dataclass(frozen=True)
class Outcome:
    """What became of a history.

    Attributes:
        broken: the invariant that was broken; empty: none.
        timeline: seconds, who, what.
        retries: runs that were retried.
        wrong_verdicts: workers that were given up although no fault had struck them.
        seconds: how long it was, by its clock.
    """

    seed: int
    broken: str
    timeline: list[tuple[float, str, str]]
    retries: int
    wrong_verdicts: int
    seconds: float


def live_through(seed: int, off: Iterable[Guard] = ()) -> Outcome:
    """Lives through the history of a seed.

    Args:
        seed: decides everything.
        off: guards that its world lacks.
    """
    world = make_world(seed, frozenset(off))
    loop = world.loop
    world.cluster = Cluster(loop, NODES, lambda pod: start_pod(world, pod))
    ticks = [1.0, 1.0 + loop.chance.uniform(0, LONGEST_BETWEEN)]
    daemons = list[Process]()
    for place in range(DAEMONS):
        start_daemon(world, daemons, place, ticks)
    Striker(world, daemons).strike_later()
    with simulated_clock(loop, seed), silent_logs():
        look_for_the_end(world, len(ticks))
        loop.run(DEADLINE)
        broken = world.watcher.broken or find_broken_end(world.postgres, world.store, len(ticks))
        end_everything(world, daemons)
    runs = world.postgres.runs.values()
    retries = sum(run.parent_run_id is not None for run in runs)
    return Outcome(seed, broken, loop.timeline, retries, world.wrong_verdicts, loop.now)


def start_daemon(world: World, daemons: list[Process], place: int, ticks: list[float], life: int = 1) -> None:
    """Starts a daemon. When it has ended, another life of it begins some seconds later."""

    def start_again() -> None:
        start_daemon(world, daemons, place, ticks, life + 1)

    def begin_another_life() -> None:
        world.loop.after(world.loop.chance.uniform(2, 5), start_again)

    process = Process(world.loop, f"daemon-{'ab'[place]}{life}", begin_another_life)
    daemons[place : place + 1] = [process]
    process.start(Daemon(world, process, ticks).live)


def look_for_the_end(world: World, roots: int) -> None:
    """Ends the world some seconds after every refresh has succeeded and no fault is left."""
    asked = [run.run_id for run in world.postgres.runs.values() if run.parent_run_id is None]
    done = {run.root for run in world.postgres.runs.values() if run.status is STATUS.SUCCESS}
    if len(asked) == roots and done == set(asked) and world.loop.now > world.troubled_until:
        world.loop.after(AFTERWARDS, lambda: setattr(world.loop, "is_over", True))
    else:
        world.loop.after(1.0, lambda: look_for_the_end(world, roots))


def end_everything(world: World, daemons: list[Process]) -> None:
    """Ends every process, so that nothing of this world lives on."""
    pods: list[Pod] = [pod for pod in world.cluster.jobs.values() if pod]
    nodes = [process for node in world.cluster.nodes for process in node.processes]
    for process in (*daemons, *nodes, *(each for pod in pods for each in pod.processes)):
        process.end()


@contextmanager
def silent_logs() -> Iterator[None]:
    """Leaves out what the platform logs of faults: a history has thousands."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def simulated_clock(loop: Loop, seed: int) -> Iterator[None]:
    """Lets the platform's repeats (tenacity) wait by the clock of the world, and draw from its seed."""
    clock: Any = SimpleNamespace(monotonic=lambda: loop.now, sleep=loop.sleep)
    chance = random.getstate()
    random.seed(seed)
    try:
        # Both modules have a name `time` for Python's own module.
        with mock.patch.object(tenacity, "time", clock), mock.patch.object(tenacity.nap, "time", clock):
            yield
    finally:
        random.setstate(chance)
