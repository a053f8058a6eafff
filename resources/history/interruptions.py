"""Interruptions: each loss of a worker, when it was noticed, when the work went on, and what it cost.

The clocks of those who wrote the times may differ. A figure is then wrong by the difference, and one that would be
negative is 0.

If a time is missing, the worst value is assumed. Nobody sees the moment of a crash: it lies between the last event of
the worker and its failure. Recovery counts from the one and lost work to the other. Nobody records a notice either: it
is noticed at once, and the worker keeps what it still does after it.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from resources.history.attempt import Attempt, InterruptionKind


@dataclass(frozen=True)
class Interruption:
    """One loss of a worker. Durations are in seconds and count from `when`, except `start_up` and `work_lost`.

    Attributes:
        when: Unix seconds.
        detected_after: until the run failed.
        running_again_after: until a step of a later attempt started; None: none has started so far.
        work_lost: work that a retry repeats.
        start_up: of the next attempt, from the request for its worker to its first step, with the wait for a node.
    """

    run: str
    root_run: str
    when: float
    node: str | None
    spot: bool | None
    kind: InterruptionKind
    detected_after: float
    running_again_after: float | None
    work_lost: float
    start_up: float

    @property
    def cost(self) -> float:
        """Seconds of a worker that were paid for and brought nothing."""
        return self.work_lost + self.start_up


def find_interruptions(group: Sequence[Attempt]) -> list[Interruption]:
    """The interruptions of one run group, given its attempts, the oldest first."""
    found = []
    for number, each in enumerate(group):
        if each.interruption is None or each.failed is None:
            continue
        if each.interruption is InterruptionKind.NOTICE:
            when = worked_until = each.failed
        elif each.lost_at is not None:
            when = worked_until = each.lost_at
        else:
            when, worked_until = each.last_sign or each.requested, each.failed
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
                kind=each.interruption,
                detected_after=max(0.0, each.failed - when),
                running_again_after=None if again is None else max(0.0, again - when),
                work_lost=count_work_lost(worked_until, each.kept),
                start_up=max(0.0, began - following.requested) if following and began is not None else 0.0,
            )
        )
    return found


def count_work_lost(when: float, kept: Iterable[float]) -> float:
    """Seconds from the last time before an interruption at which work was kept; 0 if nothing had been done."""
    before = [moment for moment in kept if moment <= when]
    return when - max(before) if before else 0.0


def find_percentile(values: Sequence[float | None], share: float) -> float | None:
    """The value that this share of all values does not exceed (nearest rank).

    A None among the values is worse than any number: it never happened. None is returned if the percentile never
    happened, and if there are no values: ask for their number as well.
    """
    ranked = sorted(math.inf if value is None else value for value in values)
    found = ranked[max(0, math.ceil(share * len(ranked)) - 1)] if ranked else math.inf
    return None if found == math.inf else found
