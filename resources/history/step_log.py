"""A step's own view of Dagster's event log: what it writes there, and what it reads of the runs of its root run.

Belongs here: the interface that checkpoints are given, and the one implementation on Dagster. Does not belong here:
which facts there are (`facts`), and what follows from them (`resources.store.trust`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import dagster as dg

from resources.history.facts import Announcement, announcements
from resources.history.run_groups import EVENT, read_events
from resources.history.tags import ANNOUNCES, ROOT


@dataclass(frozen=True)
class LoggedRun:
    """What the event log says of one run of a root run.

    Attributes:
        run: its id.
        announces: whether its release logs the digest of every manifest before it creates it.
        began_step: whether the step that asks began in this run too.
        announced: the manifests that it announced.
    """

    run: str
    announces: bool
    began_step: bool
    announced: frozenset[Announcement] = field(default_factory=frozenset)


class StepLog(Protocol):
    """The event log as one step uses it. A test has one in memory."""

    def write_message(self, text: str) -> None:
        """Logs a sentence for people."""
        ...

    def write_fact(self, fact: dg.AssetObservation) -> None:
        """Logs a fact for programs. When this returns, the fact is stored; raises if it could not be."""
        ...

    def read_runs(self, root_run: str) -> Sequence[LoggedRun]:
        """The root run and every run that retries it."""
        ...


@dataclass(frozen=True)
class DagsterStepLog:
    """The event log of the instance that a step runs in."""

    context: dg.AssetExecutionContext

    def write_message(self, text: str) -> None:
        self.context.log.info(text)

    def write_fact(self, fact: dg.AssetObservation) -> None:
        self.context.log_event(fact)

    def read_runs(self, root_run: str) -> Sequence[LoggedRun]:
        instance = self.context.instance
        runs = {
            run.run_id: run
            for filters in (dg.RunsFilter(run_ids=[root_run]), dg.RunsFilter(tags={ROOT: root_run}))
            for run in instance.get_runs(filters)
        }
        return [self._describe(run) for run in runs.values()]

    def _describe(self, run: dg.DagsterRun) -> LoggedRun:
        step = self.context.op_execution_context.get_step_execution_context().step.key
        entries = read_events(self.context.instance, run.run_id, {EVENT.STEP_START, EVENT.ASSET_OBSERVATION})
        return LoggedRun(
            run=run.run_id,
            announces=run.tags.get(ANNOUNCES) == run.run_id,
            began_step=any(each.step_key == step and each.asset_observation is None for each in entries),
            announced=frozenset(announcements(entries)),
        )
