"""Interruptions: every loss of a worker, when it was noticed, when the work went on, and what it cost.

Clocks of those who wrote the times may disagree: a figure is then off by as much, and one that would be negative is 0.

What is not recorded is bounded, and never made better than it was. When a worker ended by itself nobody saw the moment:
it lies between its last event and its failure, recovery counts from the one and lost work to the other. A notice is not
recorded either: one that came was noticed at once, and what the worker then still did it kept.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from resources.history.attempts import Attempt, How


@dataclass(frozen=True)
class Interruption:
    """One loss of a worker. Durations in seconds, all counted from `when`, but for `start_up` and `work_lost`.

    Attributes:
        running_again_after: until a step of a later attempt started; None: none has, so far.
        start_up: of the next attempt, from the request for its worker to its first step; a wait for a node is in it.
    """

    run: str
    root_run: str
    when: float
    node: str | None
    spot: bool | None
    notice: bool
    crash: bool
    detected_after: float
    running_again_after: float | None
    work_lost: float
    start_up: float

    @property
    def cost(self) -> float:
        """Seconds of a worker that were paid for and brought nothing."""
        return self.work_lost + self.start_up


def interruptions(group: Sequence[Attempt]) -> list[Interruption]:
    """Those of one group, given its attempts, the oldest first."""
    found = []
    for number, each in enumerate(group):
        if each.how is None:
            continue
        if each.how is How.NOTICE:
            when = worked_until = each.failed
        elif each.lost_at is not None:
            when = worked_until = each.lost_at
        else:
            when, worked_until = each.last_sign or each.launched, each.failed
        again = next((later.first_step for later in group[number + 1 :] if later.first_step is not None), None)
        following = group[number + 1] if number + 1 < len(group) else None
        began = following.first_step if following else None
        found.append(
            Interruption(
                run=each.run,
                root_run=each.root_run,
                when=when,
                node=each.node,
                spot=each.spot,
                notice=each.how is How.NOTICE,
                crash=each.how is How.CRASH,
                detected_after=max(0.0, each.failed - when),
                running_again_after=None if again is None else max(0.0, again - when),
                work_lost=work_lost(worked_until, each.kept),
                start_up=max(0.0, began - following.launched) if following and began is not None else 0.0,
            )
        )
    return found


def work_lost(when: float, kept: Iterable[float]) -> float:
    """Seconds between the last time before an interruption that something was kept, and it; 0 if nothing was done."""
    before = [at for at in kept if at <= when]
    return when - max(before) if before else 0.0


def percentile(values: Sequence[float | None], share: float) -> float | None:
    """The value that this share of all do not exceed (nearest rank). None is worse than any value: it never came.

    None is also returned if there are no values: ask for their number as well.
    """
    ranked = sorted(math.inf if value is None else value for value in values)
    found = ranked[max(0, math.ceil(share * len(ranked)) - 1)] if ranked else math.inf
    return None if found == math.inf else found
