"""The results of replays: a table for each training."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.timing.table import Goal, Row, Table
from studies.spot_traces.run import Outcome, Training

BLOCKS, ZERO, ON_DEMAND = "blocks", "from zero", "on demand"
COUNTS = ("asked", "completed", "unstarted", "retries", "losses")
COLUMNS = (*COUNTS, "MTTR p50", "p95", "lost s", "waste %", "on o.d. %", "cost", "of o.d. %")
NOTES = (
    "unstarted: attempts that got no machine in time. MTTR: seconds from a loss, or its notice, to training again.",
    "lost s: work lost, the worst loss. waste: compute that interruptions add, and all compute of a failed run.",
    "on o.d.: share of the compute that is bought on demand, by attempts that are no longer bound to spot nodes.",
    "of o.d.: what a completed run costs, of what it costs on demand.",
)
# Seconds of work that a loss may cost: those of a block (2.5 s), and those to write it to the store.
MOST_LOST = 3


@dataclass(frozen=True)
class Result:
    """All runs of one training on one market, under one policy.

    Args:
        market: name of the trace.
        policy: blocks, from zero, or on demand.
        outcomes: of the runs.
        needed: machine seconds that an undisturbed run buys.
        spot, on_demand: prices of an hour of a machine.
    """

    market: str
    policy: str
    outcomes: Sequence[Outcome]
    needed: float
    spot: float
    on_demand: float

    @property
    def completed(self) -> int:
        return sum(each.completed for each in self.outcomes)

    @property
    def bought(self) -> float:
        return sum(each.bought for each in self.outcomes)

    @property
    def bought_on_demand(self) -> float:
        return sum(each.bought_on_demand for each in self.outcomes)

    @property
    def share_on_demand(self) -> float | None:
        """Percent of what was bought; None if nothing was."""
        return 100 * self.bought_on_demand / self.bought if self.bought else None

    @property
    def cost(self) -> float:
        return ((self.bought - self.bought_on_demand) * self.spot + self.bought_on_demand * self.on_demand) / 3600

    @property
    def waste(self) -> float | None:
        """Percent of what was bought; None if nothing was."""
        wasted = sum(each.bought - (self.needed if each.completed else 0) for each in self.outcomes)
        return 100 * wasted / self.bought if self.bought else None

    @property
    def worst_loss(self) -> float | None:
        """Seconds of work; None if no machine was lost."""
        return max((loss for each in self.outcomes for loss in each.lost), default=None)

    def relative_cost(self, on_demand: "Result") -> float | None:
        """Cost of a completed run in percent of one on demand; None if none was completed."""
        if not self.completed:
            return None
        return 100 * (self.cost / self.completed) / (on_demand.cost / on_demand.completed)

    def make_row(self, on_demand: "Result") -> Row:
        down = [seconds for each in self.outcomes for seconds in each.down]
        middle, late = np.percentile(down, (50, 95)).tolist() if down else (None, None)
        counts = (
            len(self.outcomes),
            self.completed,
            sum(each.unstarted for each in self.outcomes),
            sum(each.retries for each in self.outcomes),
            sum(len(each.lost) for each in self.outcomes),
        )
        shares = self.waste, self.share_on_demand
        figures = (middle, late, self.worst_loss, *shares, self.cost, self.relative_cost(on_demand))
        what = self.policy if self is on_demand else f"{self.market}, {self.policy}"
        return Row(what, (*counts, *figures))


def pool_results(results: Sequence[Result], policy: str) -> Result:
    """Joins the results of a policy on all markets."""
    chosen = [each for each in results if each.policy == policy]
    outcomes = [outcome for each in chosen for outcome in each.outcomes]
    return replace(chosen[0], market="all", outcomes=outcomes)


def tabulate(training: Training, results: Sequence[Result], on_demand: Result) -> Table:
    """A table with a row for each market and policy, then rows for all markets together, and the goals."""
    sums = [pool_results(results, policy) for policy in (BLOCKS, ZERO)]
    ours = sums[0]
    goals = [Goal("of the runs completed with blocks", ours.completed / len(ours.outcomes), 1)]
    notes = [f"NOTHING COMPLETED: {each.market}, {each.policy}" for each in results if not each.completed]
    if ours.worst_loss is None:
        notes.append("no machine was lost under a run: this shows nothing of losses")
    else:
        goals.append(Goal("s of work lost with blocks, the worst loss", ours.worst_loss, MOST_LOST, at_least=False))
    rows = [each.make_row(on_demand) for each in (on_demand, *results, *sums)]
    return Table(f"training of {training.work:g} s", COLUMNS, rows, goals, (*NOTES, *notes))
