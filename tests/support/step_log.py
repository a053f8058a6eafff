"""An event log in memory, for tests of steps that run without Dagster."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import dagster as dg

from resources.history.facts import ANNOUNCED_PLACE, ANNOUNCED_SHA256, Announcement
from resources.history.step_log import LoggedRun


@dataclass
class SharedLog:
    """What all attempts of one root run logged, by run.

    Attributes:
        facts: the facts of each run; a run that is not a key never began.
        silent: runs of a release that did not announce manifests.
        messages: of all runs.
    """

    facts: dict[str, list[dg.AssetObservation]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    messages: list[str] = field(default_factory=list)

    def attempt(self, run: str) -> "AttemptLog":
        """The log as this run sees it, which begins now."""
        self.facts.setdefault(run, [])
        return AttemptLog(self, run)


@dataclass(frozen=True)
class AttemptLog:
    """A `StepLog` of one run."""

    shared: SharedLog
    run: str

    def write_message(self, text: str) -> None:
        self.shared.messages.append(text)

    def write_fact(self, fact: dg.AssetObservation) -> None:
        if self.run not in self.shared.silent:
            self.shared.facts[self.run].append(fact)

    def read_runs(self, root_run: str) -> Sequence[LoggedRun]:
        return [
            LoggedRun(
                run,
                announces=run not in self.shared.silent,
                began_step=True,
                announced=frozenset(
                    Announcement(str(each.metadata[ANNOUNCED_PLACE].value), str(each.metadata[ANNOUNCED_SHA256].value))
                    for each in facts
                    if ANNOUNCED_PLACE in each.metadata
                ),
            )
            for run, facts in self.shared.facts.items()
        ]
