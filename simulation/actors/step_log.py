"""The event log as a worker of the world writes it: the model behind the platform's `StepLog`."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import dagster as dg
import psycopg2

from resources.history.facts import announcements
from resources.history.step_log import LoggedRun
from simulation.models.postgres import Postgres


class WorkerLog:
    """What a worker writes to PostgreSQL. A database that is away is waited for, as the platform's storage does.

    Args:
        postgres: the database.
        run_id: the worker's run.
        worker: the name of its pod, by which the fence knows it.
    """

    def __init__(self, postgres: Postgres, run_id: str, worker: str) -> None:
        self._postgres, self._run, self.worker = postgres, run_id, worker

    def write_message(self, text: str) -> None:
        """Sentences for people are not kept."""

    def write_fact(self, fact: dg.AssetObservation) -> None:
        """Stores a fact."""
        self.write_event("FACT", fact)

    def write_event(self, kind: str, fact: Any = None) -> None:
        """Stores an event."""
        self._postgres.loop.spring_trap()
        self._ask(lambda: self._postgres.add_event(self._run, kind, self.worker, fact))

    def write_status(self, status: dg.DagsterRunStatus) -> None:
        """Changes the status of the run."""
        self._postgres.loop.spring_trap()
        self._ask(lambda: self._postgres.set_status(self._run, status, self.worker))

    def read_runs(self, root_run: str) -> Sequence[LoggedRun]:
        """The root run and every run that retries it."""
        return self._ask(lambda: self._read_runs(root_run))

    def _read_runs(self, root_run: str) -> Sequence[LoggedRun]:
        group = {run.run_id for run in self._postgres.group(root_run)}
        facts = [each for each in self._postgres.events if each.asset_observation and each.run_id in group]
        entries: dict[str, list[Any]] = {run: [] for run in group}
        for each in facts:
            entries[each.run_id].append(SimpleNamespace(asset_observation=each.asset_observation))
        return [
            LoggedRun(run, announces=True, began_step=True, announced=frozenset(announcements(found)))
            for run, found in sorted(entries.items())
        ]

    def _ask(self, act: Any) -> Any:
        while True:
            try:
                return self._postgres.ask(act)
            except psycopg2.OperationalError as error:
                if "broke" in str(error) or "went down" in str(error):
                    raise  # a statement that was under way fails, and nobody knows whether it was carried out
                self._postgres.loop.sleep(self._postgres.loop.chance.uniform(0.2, 2))
