"""One run on a market: what the platform does when machines are lost, on a simulated clock.

The simulation runs the platform's own code for:
- blocks and how they are found (`resources.store.blocks`), and SIGTERM;
- the rule that retries a failed run (`resources.history.retry_rule`), with the ticks of `sensors.lost_retries`;
- which attempts are bound to spot nodes (`resources.launching.placement`);
- how long attempts wait (`resources.supervision.worker`).
Durations are given: of the work, of requests to the store, of noticing a loss, and of starting again.

An attempt that gets no machine within the start timeout has failed, and does not count as a loss. It counts among the
attempts that are bound to spot nodes, because Dagster numbers all attempts. Later attempts prefer a node on demand,
which is assumed to be there at once. Runs don't compete for machines: each is alone on the market.
"""

import math
from collections.abc import Iterator
from dataclasses import replace

from obstore.store import MemoryStore

from resources.history.attempt import Attempt
from resources.history.retry_rule import find_missing_retry
from resources.launching.placement import place_attempt
from resources.store.blocks.series import Blocks
from resources.supervision.worker import draw_delay
from sensors.lost_retries import lost_retries
from studies.spot_traces.machine import DistantStore, InTurn, Machine, MachineLost, Stopped
from studies.spot_traces.run import Outcome, Platform, Training
from studies.spot_traces.trace import Trace

# Machines on demand: there is always one, and none is taken away.
ALWAYS = Trace("on demand", 1, (1,))
BOUND_TO_SPOT = {"node_selector": {"capacity": "spot"}}


def replay(trace: Trace, training: Training, platform: Platform, requested: float) -> Outcome:
    """Replays a run that was requested at this second of the trace, with its retries."""
    outcome, client, group = Outcome(), MemoryStore(), list[Attempt]()
    now, starting = requested, platform.first
    waiting: list[float] = []  # interruptions after which it has not trained again
    while True:
        number, began = len(group), False
        market = trace if is_bound_to_spot(number, platform.spot_attempts) else ALWAYS
        machine_at = market.find_free(now, platform.start_timeout, platform.notice)
        if machine_at is None:
            outcome.unstarted += 1
            failed, starting = now + platform.start_timeout, platform.first
        else:
            machine = Machine(find_loss(market, platform, requested, machine_at) - machine_at, platform.notice)
            starting += draw_delay(number, draw=platform.make_random("back-off", trace.name, requested, number).uniform)
            outcome.completed = run_attempt(machine, training, platform, client, starting)
            outcome.bought += machine.now
            outcome.bought_on_demand += machine.now if market is ALWAYS else 0
            if began := machine.saved_at is not None:
                outcome.down += [machine_at + starting - moment for moment in waiting]
                waiting = []
            if outcome.completed:
                return outcome
            outcome.lost.append(machine.unsaved_seconds)
            # The platform notices the loss of a step that outlasts its notice like a loss without notice.
            notified_at = machine.notified_at if machine.now < machine.lost_at else None
            waiting.append(machine_at + (machine.lost_at if notified_at is None else notified_at))
            unnoticed = platform.noticed if began else platform.given_up
            failed, starting = machine_at + machine.now + (unnoticed if notified_at is None else 0), platform.restart
        parent = str(number - 1) if group else None
        group.append(Attempt(str(number), "0", parent, ended=True, failed=failed, began=began))
        forgets = platform.draw("forgets", trace.name, requested, failed) < platform.forgets
        if (retried := find_retry_time(group, platform.retries, forgets)) is None:
            return outcome
        now, outcome.retries = retried, outcome.retries + 1


def is_bound_to_spot(number: int, spot_attempts: int) -> bool:
    """Whether the pod of this attempt may be on spot nodes only."""
    return "node_selector" in place_attempt(BOUND_TO_SPOT, number, spot_attempts, avoided_nodes=())


def find_loss(trace: Trace, platform: Platform, requested: float, begun: float) -> float:
    """When the machine that a run got at `begun` is taken away."""
    for moment, share in trace.find_losses(begun + platform.notice):
        if platform.draw("loss", trace.name, requested, moment) < share:
            return moment
    return math.inf


def run_attempt(machine: Machine, training: Training, platform: Platform, client: MemoryStore, starting: float) -> bool:
    """Trains on a machine; returns whether the training ended before the machine was lost."""
    trees = max(1, round(training.work / training.tree))

    def make(numbers: Iterator[int]) -> Iterator[bytes]:
        for _ in numbers:
            machine.spend(training.tree)
            yield b"tree"

    store = DistantStore(
        uri="memory://", client=client, machine=machine, writing=platform.writing, reading=platform.reading
    )
    try:
        with machine.stop_at_notice():
            machine.spend(starting)
            machine.saved_at = machine.now
            if platform.blocks:
                Blocks(store, "training", beside=InTurn, log=lambda _: None, clock=machine.read_clock).grow(trees, make)
            else:
                list(make(iter(range(trees))))
    except (MachineLost, Stopped):
        return False
    return True


def find_retry_time(group: list[Attempt], retries: int, forgets: bool) -> float | None:
    """When a failed run is retried: by the daemon at once, or by the sensor if the daemon forgets it."""
    failed = group[-1].failed or 0
    if find_missing_retry(group, retries, math.inf) is None:
        return None
    # The daemon counts all attempts against the number of retries. The sensor does not count all of them.
    if not forgets and len(group) <= retries:
        return failed
    every = lost_retries.minimum_interval_seconds or 1
    tick = math.ceil(failed / every) * every
    while find_missing_retry(group, retries, tick) is None:
        tick += every
    return tick


def replay_undisturbed(training: Training, platform: Platform) -> Outcome:
    """Replays a run on demand that is never interrupted."""
    return replay(ALWAYS, training, replace(platform, notice=0, spot_attempts=0), 0)
