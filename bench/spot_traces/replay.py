"""One run on a market: what the platform does when machines go, on a simulated clock.

Real are the blocks and what is found of them (`resources.blocks`), SIGTERM, and the rule by which a failed run is
retried, with the ticks of the sensor that finds a forgotten one (`sensors.lost_retries`). Given are durations: of the
work, of requests to the store, and those that the drills measured.

A run that gets no machine within the start timeout has failed, and its retry counts as any other. Runs don't compete
for machines: each is alone on the market.
"""

import math
from dataclasses import replace

from obstore.store import MemoryStore

from bench.spot_traces.machine import DistantStore, Machine, MachineGone, Stopped
from bench.spot_traces.run import Outcome, Platform, Training
from bench.spot_traces.trace import Trace
from resources.blocks import Blocks
from sensors.lost_retries import Ended, forgotten, lost_retries

# Machines on demand: there is always one, and none is taken away.
ALWAYS = Trace("on demand", 1, (1,))


def replay(trace: Trace, training: Training, platform: Platform, requested: float) -> Outcome:
    """A run that was requested at this second of the trace, with its retries."""
    outcome, client, group = Outcome(), MemoryStore(), list[Ended]()
    now, starting = requested, platform.first
    waiting: list[float] = []  # interruptions after which it has not trained again
    while True:
        begun = trace.free(now, platform.start_timeout, platform.notice)
        if begun is None:
            outcome.unstarted += 1
            failed, starting = now + platform.start_timeout, platform.first
        else:
            machine = Machine(lost_at(trace, platform, requested, begun) - begun, platform.notice)
            outcome.completed = attempt(machine, training, platform, client, starting)
            outcome.bought += machine.now
            if machine.kept is not None:
                outcome.down += [begun + starting - moment for moment in waiting]
                waiting = []
            if outcome.completed:
                return outcome
            outcome.lost.append(machine.lost)
            # One that did not get ready within the notice is found out as one that had none.
            told = machine.told if machine.now < machine.gone else None
            waiting.append(begun + (machine.gone if told is None else told))
            failed = waiting[-1] + platform.noticed[told is None]
            starting = platform.again[told is None]
        group.append(Ended(str(len(group)), str(len(group) - 1) if group else None, failed, stays=False))
        forgets = platform.draw("forgets", trace.name, requested, failed) < platform.forgets
        if (retried := retried_at(group, platform.retries, forgets)) is None:
            return outcome
        now, outcome.retries = retried, outcome.retries + 1


def lost_at(trace: Trace, platform: Platform, requested: float, begun: float) -> float:
    """When the machine that a run got at `begun` is taken away."""
    for moment, share in trace.losses(begun + platform.notice):
        if platform.draw("loss", trace.name, requested, moment) < share:
            return moment
    return math.inf


def attempt(machine: Machine, training: Training, platform: Platform, client: MemoryStore, starting: float) -> bool:
    """Whether the machine stayed until the training had ended."""
    trees = max(1, round(training.work / training.tree))

    def make(first: int, last: int) -> list[bytes]:
        machine.spend((last - first) * training.tree)
        return [b"tree"] * (last - first)

    store = DistantStore(
        uri="memory://", client=client, machine=machine, writing=platform.writing, reading=platform.reading
    )
    try:
        with machine.heeding_notice():
            machine.spend(starting)
            machine.kept = machine.now
            if platform.blocks:
                Blocks(store, "training", tell=lambda _: None, clock=machine.clock).grow(trees, make)
            else:
                make(0, trees)
    except (MachineGone, Stopped):
        return False
    return True


def retried_at(group: list[Ended], retries: int, forgets: bool) -> float | None:
    """When a run that has failed is retried: by the daemon at once, or by the sensor if the daemon forgets it."""
    failed = group[-1].failed_at or 0
    if forgotten(group, retries, math.inf) is None:
        return None
    if not forgets:
        return failed
    every = lost_retries.minimum_interval_seconds or 1
    tick = math.ceil(failed / every) * every
    while forgotten(group, retries, tick) is None:
        tick += every
    return tick


def undisturbed(training: Training, platform: Platform) -> Outcome:
    """A run that nothing happens to."""
    return replay(ALWAYS, training, replace(platform, notice=0), 0)
