"""The platform's run launcher in the world: its checks and verdicts are the real ones, its ports are the world's."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import datetime
from typing import Any

import dagster as dg

from resources.launching.knocking import WITNESS_TIME_LIMIT
from resources.launching.launcher import HEALTHY, LeasedK8sRunLauncher, WatchedLeases
from resources.launching.reach import Answer, Reach
from resources.launching.silence import SilenceWatch, Standby
from resources.launching.verdict import JobState
from resources.supervision.lease_table import WATCHER_TIME_LIMIT, Leases
from simulation.actors.failure import list_failure_statements
from simulation.guards import Guard
from simulation.loop import Process
from simulation.models.lease_statements import ModelConnection
from simulation.models.postgres import Run
from simulation.world import CodeServerAway, World

LEASE_SECONDS, UNREACHABLE_SECONDS, CRASH_RETRIES = 8, 3, 2


class Instance:
    """What the launcher needs of Dagster's instance.

    Args:
        daemon: the name of the daemon that asks.
    """

    def __init__(self, world: World, daemon: str) -> None:
        self._world, self._postgres, self._daemon = world, world.postgres, daemon
        self.event_log_storage = self

    def free_concurrency_slots_for_run(self, run_id: str) -> None:
        """Pools are no part of the world."""

    def get_run_by_id(self, run_id: str) -> Run | None:
        """A run."""
        return self._postgres.ask(lambda: self._postgres.runs.get(run_id))

    def get_runs(self, filters: dg.RunsFilter) -> list[Run]:
        """The retries of a root run."""
        (root,) = filters.tags.values()
        return self._postgres.ask(lambda: [run for run in self._postgres.group(str(root)) if run.parent_run_id])

    def add_run_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Adds tags to a run."""
        self._postgres.ask(lambda: self._postgres.add_tags(run_id, tags))

    def fail(self, run: Run, reason: str) -> None:
        """Fails a run."""
        self._world.loop.note(self._daemon, f"fails {run.run_id}: {reason}")
        for statement in list_failure_statements(self._world, run.run_id):
            self._world.loop.spring_trap()
            self._postgres.ask(lambda statement=statement: self._act(f"fails {run.run_id}", statement))

    def _act(self, what: str, statement: Any) -> None:
        self._world.watcher.see_leader(self._postgres, self._daemon, what)
        statement()


class WatchedRevocations(Leases):
    """The platform's `Leases`. Without the guard, a revocation comes after the failure, with the next check."""

    def __init__(self, world: World, daemon: str) -> None:
        super().__init__("")
        self._connection = ModelConnection(world.postgres.ask, world.postgres.leases, WATCHER_TIME_LIMIT)  # pyright: ignore[reportAttributeAccessIssue]
        self._world, self._daemon, self._late = world, daemon, list[tuple[str, datetime]]()

    def revoke(self, name: str, deadline: datetime) -> bool:
        if Guard.REVOCATION_FIRST in self._world.off:
            self._late.append((name, deadline))
            return True
        if is_revoked := super().revoke(name, deadline):
            self._world.loop.note(self._daemon, f"has revoked {name}")
        return is_revoked

    def refuse(self, name: str) -> bool:
        return Guard.REFUSAL in self._world.off or super().refuse(name)

    def revoke_late(self) -> None:
        """Sends what was not sent."""
        while self._late:
            super().revoke(*self._late.pop())


class WatchedStandby(Standby):
    """The platform's `Standby`. Without the guard, it counts on while PostgreSQL does not answer."""

    def __init__(self, world: World, watch: SilenceWatch, leases: Leases) -> None:
        super().__init__(watch, leases.list_deadlines, lambda: world.loop.now)
        self._world = world

    def forget(self) -> None:
        if Guard.FORGETTING not in self._world.off:
            super().forget()


def make_reach(world: World, daemon: Process) -> Reach:
    """The platform's `Reach`, which calls holders of the world and its code server, the witness."""

    def start(call: Callable[[], Answer]) -> Future[Answer]:
        answer = Future[Answer]()
        daemon.start(lambda: answer.set_result(call()))
        return answer

    def has_witness() -> bool:
        if Guard.WITNESS in world.off:
            return True
        try:
            return world.code_server.ask(lambda: True, WITNESS_TIME_LIMIT)
        except CodeServerAway:
            return False

    return Reach(world.cluster.knock, has_witness, start, clock=lambda: world.loop.now)


class WorldLauncher(LeasedK8sRunLauncher):
    """The launcher, made without Dagster's instance and without a cluster.

    Args:
        daemon: the one whose launcher it is.
    """

    def __init__(self, world: World, daemon: Process) -> None:
        self._lease_seconds, self._unreachable_seconds, self._crash_retries = (
            LEASE_SECONDS,
            UNREACHABLE_SECONDS,
            CRASH_RETRIES,
        )
        self._world, self._given = world, Instance(world, daemon.name)
        self.revocations = WatchedRevocations(world, daemon.name)
        self._reach = make_reach(world, daemon)
        self._leases: WatchedLeases = self.revocations
        self._silence, self._untaken = (SilenceWatch(clock=lambda: world.loop.now) for _ in range(2))
        self.standby = WatchedStandby(world, self._silence, self.revocations)
        self.jobs: Any = world.cluster

    @property
    def _instance(self) -> Any:
        return self._given

    def _is_lost(self, run: Any, silent_seconds: float | None) -> bool:
        is_lost = super()._is_lost(run, silent_seconds)
        return is_lost or Guard.PORT in self._world.off

    def locate_job(self, run: Any) -> Any:
        return run.run_id

    def check_started(self, run: Run) -> None:
        """What Dagster's run monitoring does with a run that goes on: it fails the run of a worker that is dead."""
        found = self.check_run_worker_health(run)  # pyright: ignore[reportArgumentType]
        if found is HEALTHY:
            return
        now = self._given.get_run_by_id(run.run_id)
        if now and now.status is run.status:
            pod = self._world.cluster.jobs.get(run.run_id)
            if pod and pod.ended_at is None and not pod.was_disturbed:
                self._world.wrong_verdicts += 1
                self._world.watcher.report("PostgreSQL", f"{run.run_id} is failed, and no fault has struck its worker")
                return
            self._given.fail(run, str(found.msg))

    def check_starting(self, run: Run, patience: float) -> None:
        """What `StartingRuns` does with a run that starts, and Dagster with one that starts for too long."""
        if self.has_begun(run):  # pyright: ignore[reportArgumentType]
            self.check_started(run)
        elif (
            (run.updated < self._world.loop.now - patience and self.refuse_worker(run))  # pyright: ignore[reportArgumentType]
            or self.find_job_state(run) is JobState.ENDED  # pyright: ignore[reportArgumentType]
            or self.give_up_untaken(run)  # pyright: ignore[reportArgumentType]
        ):
            now = self._given.get_run_by_id(run.run_id)
            if now and now.status is run.status:
                self._given.fail(run, "its worker did not begin")
