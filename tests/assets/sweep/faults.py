"""The faults of the sweep: what goes wrong in one attempt, and at which moment. Both are drawn from a seed.

The process is killed at any moment, or before or after one call: to the store, to Dagster's database, to the database
that is read, or to the one that scores are written to. Or such a call raises an error, before or after its work was
done, as it does when a connection breaks.

Belongs here: which fault. Does not belong here: how a call is made to go wrong (`interception`).
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ANY_MOMENT = "any moment"
# Calls to the store; statements to Dagster's database, and the ends of its transactions; connections to the loans'
# database; and all calls to that database and to the one of the scores.
STORE, DATABASE, COMMITS, LOANS, TABLES, SCORES = "store", "database", "commits", "loans", "tables", "scores"
CALLS = (STORE, DATABASE, COMMITS, LOANS, TABLES, SCORES)
KILL, ERROR = "kill", "error"


@dataclass(frozen=True)
class Fault:
    """What goes wrong in an attempt.

    Args:
        target: one of `CALLS`: the calls of which kind go wrong; or `ANY_MOMENT`.
        effect: `KILL`: the process dies. `ERROR`: the call raises what a broken connection raises.
        after_call: whether the call has done its work before that.
        at: number of the call, from 1; with `ANY_MOMENT` the seconds after the attempt's start.
    """

    target: str
    effect: str
    after_call: bool
    at: float


@dataclass(frozen=True)
class AttemptSize:
    """How many calls of each kind an undisturbed attempt makes, and how many seconds it takes."""

    calls: Mapping[str, int]
    seconds: float


def draw_fault(chance: random.Random, size: AttemptSize, targets: Sequence[str]) -> Fault:
    """A fault somewhere in an attempt of this size; a target that is named twice is drawn twice as often."""
    target = chance.choice(targets)
    if target == ANY_MOMENT:
        return Fault(target, KILL, False, chance.uniform(0, size.seconds))
    effect = chance.choice([KILL, ERROR])
    return Fault(target, effect, chance.random() < 0.5, chance.randint(1, size.calls[target]))
