"""PostgreSQL: leases, runs and events, with the fence and the unique index on retries.

Belongs here: what one statement does, and what the triggers refuse. Does not belong here: in which order a program
sends its statements (`actors`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import dagster as dg
import psycopg2

from resources.history.tags import NUMBER
from simulation.guards import Guard
from simulation.invariants import Watcher
from simulation.loop import Loop
from simulation.models.lease_statements import LeaseTable
from simulation.models.network import Service

STATUS = dg.DagsterRunStatus
GIVEN_UP = (STATUS.FAILURE, STATUS.CANCELED)
# The clock of PostgreSQL is ahead of the world's by so many seconds.
SKEW = 1_000_000.25


@dataclass(frozen=True)
class Run:
    """A row of the table of runs, as far as the platform's decision code reads it."""

    run_id: str
    root_run_id: str | None = None
    parent_run_id: str | None = None
    status: dg.DagsterRunStatus = STATUS.QUEUED
    tags: Mapping[str, str] = field(default_factory=dict)
    updated: float = 0.0
    began: bool = False

    @property
    def root(self) -> str:
        return self.root_run_id or self.run_id


@dataclass(frozen=True)
class Event:
    """A row of the event log: its run, its kind, and for a fact the observation."""

    run_id: str
    kind: str
    at: float
    asset_observation: Any = None


class Postgres(Service):
    """The database of Dagster and of the leases.

    Args:
        off: guards that this world lacks.
        watcher: is told what is written.
    """

    def __init__(self, loop: Loop, off: frozenset[Guard], watcher: Watcher) -> None:
        super().__init__(loop, "PostgreSQL", psycopg2.OperationalError)
        self.leases = LeaseTable(lambda: loop.now + SKEW)
        self.runs, self.events = dict[str, Run](), list[Event]()
        self.cursor = 0
        self._off, self._watcher = off, watcher

    def insert_run(self, run: Run) -> None:
        """Adds a run.

        Raises:
            psycopg2.IntegrityError: it is the second numbered retry of a run.
        """
        if NUMBER in run.tags:
            parents = [each.parent_run_id for each in self.runs.values() if NUMBER in each.tags]
            if run.parent_run_id in parents and Guard.ONE_RETRY not in self._off:
                raise psycopg2.IntegrityError("one_retry")
        self.runs[run.run_id] = replace(run, updated=self.loop.now)
        self._watcher.see_run(self, run)

    def set_status(self, run_id: str, status: dg.DagsterRunStatus, worker: str = "") -> None:
        """Changes the status of a run; a worker gives its name.

        Raises:
            psycopg2.ProgrammingError: the fence refuses it.
        """
        self._refuse_without_lease(worker)
        run = self.runs[run_id]
        if worker and run.status in GIVEN_UP and status is not run.status and Guard.FENCE not in self._off:
            raise psycopg2.ProgrammingError(f"run {run_id} has ended as {run.status.value} and stays so")
        began = run.began or status is STATUS.STARTED
        self.runs[run_id] = replace(run, status=status, updated=self.loop.now, began=began)
        self._watcher.see_status(run, status, worker)

    def add_event(self, run_id: str, kind: str, worker: str = "", fact: Any = None) -> None:
        """Adds an event; a worker gives its name.

        Raises:
            psycopg2.ProgrammingError: the fence refuses it.
        """
        self._refuse_without_lease(worker)
        self.events.append(Event(run_id, kind, self.loop.now, fact))
        self._watcher.see_event(self, self.runs[run_id], kind, worker)

    def add_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Adds tags to a run."""
        run = self.runs[run_id]
        self.runs[run_id] = replace(run, tags={**run.tags, **tags})

    def group(self, root: str) -> list[Run]:
        """A root run and its retries, in the order in which they were created."""
        return [run for run in self.runs.values() if run.root == root]

    def with_status(self, *statuses: dg.DagsterRunStatus) -> list[Run]:
        """The runs that have one of these statuses now."""
        return [run for run in self.runs.values() if run.status in statuses]

    def _refuse_without_lease(self, worker: str) -> None:
        if worker and Guard.FENCE not in self._off and not self.leases.has_holder(worker):
            raise psycopg2.ProgrammingError(f"worker {worker} has no lease any more")


def as_record(run: Run) -> Any:
    """A run as Dagster's storage returns its record, as far as the platform reads it."""
    return SimpleNamespace(
        dagster_run=run, update_timestamp=SimpleNamespace(timestamp=lambda: run.updated), end_time=run.updated
    )
