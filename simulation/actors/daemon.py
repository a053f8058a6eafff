"""Dagster's daemon: one leads, and does what only one may do. The leader's lease and the retry rule are the platform's.

Dagster's own parts are modelled on what they do: its event log consumer reads each failure once, its monitor checks
runs every second, its scheduler requests a tick once, and its queue launches what was requested.
"""

from collections.abc import Callable
from functools import partial

import dagster as dg
import psycopg2

from resources.errors import PlatformError
from resources.history.attempt import Attempt, find_decision
from resources.history.retry_rule import find_missing_retry, has_retries_left
from resources.history.tags import MAX_RETRIES, NUMBER, WILL_RETRY
from resources.supervision.leader import MARGIN, PAUSE, STAND_BY, ask_in_time
from resources.supervision.lease import Lease
from resources.supervision.lease_table import HOLDER_TIME_LIMIT
from simulation.actors.launcher import WorldLauncher
from simulation.guards import Guard
from simulation.invariants import TICK
from simulation.loop import Process
from simulation.models.lease_statements import ModelConnection
from simulation.models.postgres import Run
from simulation.world import CodeServerAway, World

STATUS = dg.DagsterRunStatus
LEASE_SECONDS = 5.0
# Seconds between two looks: at events and the schedule, at workers, and for missing retries.
LOOK, POLL, SENSOR = 1.0, 1.0, 15.0
START_TIMEOUT, MOST_RETRIES = 60.0, 20
# Seconds that the sensor waits for the webserver.
WEBSERVER_PATIENCE = 10.0
AWAY = (psycopg2.Error, PlatformError, CodeServerAway)


class Daemon:
    """One of the two daemons, in one life.

    Args:
        ticks: when the schedule asks for a refresh.
    """

    def __init__(self, world: World, process: Process, ticks: list[float]) -> None:
        self._world, self._loop, self._process, self._ticks = world, world.loop, process, ticks
        self._postgres, self._launcher = world.postgres, WorldLauncher(world, process)
        self._lease = Lease("", "daemon", process.name, LEASE_SECONDS)
        self._lease.connection = ModelConnection(world.postgres.ask, world.postgres.leases, HOLDER_TIME_LIMIT)  # pyright: ignore[reportAttributeAccessIssue]

    def live(self) -> None:
        """Stands by, then leads."""
        while not (is_held := self._ask(self._lease.take)):
            if is_held is not None:
                self._launcher.standby.look()
            self._loop.sleep(STAND_BY)
        self._loop.note(self._process.name, "leads")
        self._process.start(self._act)
        while self._ask(self._lease.renew) is not False:
            self._loop.sleep(PAUSE)
        self._loop.note(self._process.name, "has lost its lease, and ends")

    def _act(self) -> None:
        self._launcher.standby.look()
        for pause, act in ((POLL, self._check_runs), (LOOK, self._look), (SENSOR, self._find_missing)):
            self._process.start(lambda pause=pause, act=act: self._repeat(pause, act))

    def _ask(self, ask: Callable[[], bool]) -> bool | None:
        alarm = self._process.set_alarm if Guard.ALARM not in self._world.off else lambda _: None
        return ask_in_time(self._lease, ask, MARGIN, lambda: self._loop.now, alarm)

    def _repeat(self, pause: float, act: Callable[[], None]) -> None:
        while True:
            self._loop.sleep(pause)
            try:
                act()
            except AWAY as error:
                self._loop.note(self._process.name, f"can't {act.__name__.strip('_')}: {error}")

    def _write(self, what: str, act: Callable[[], None]) -> None:
        def carry_out() -> None:
            self._world.watcher.see_leader(self._postgres, self._process.name, what)
            act()

        self._loop.spring_trap()
        self._postgres.ask(carry_out)

    def _check_runs(self) -> None:
        self._launcher.revocations.revoke_late()
        for run in self._postgres.ask(lambda: self._postgres.with_status(STATUS.STARTED, STATUS.STARTING)):
            try:
                if run.status is STATUS.STARTED:
                    self._launcher.check_started(run)
                else:
                    self._launcher.check_starting(run, START_TIMEOUT)
            except AWAY as error:
                self._loop.note(self._process.name, f"can't check {run.run_id}: {error}")

    def _look(self) -> None:
        """The schedule, the queue and the failures, with one question to the database for all three."""
        cursor, failed, queued, asked = self._postgres.ask(self._read)
        for tick, due in enumerate(self._ticks):
            if due <= self._loop.now and str(tick) not in asked:
                self._world.code_server.ask(lambda: None)  # it says what to ask for
                run = Run(self._world.name_run(), tags={TICK: str(tick)})
                self._write(f"asks for tick {tick}", lambda run=run: self._postgres.insert_run(run))
        for run in queued:
            self._write(f"launches {run.run_id}", lambda run=run: self._begin(run.run_id))
            self._world.cluster.create(run.run_id)
        for run_id in failed:
            self._retry(run_id)
        if failed:
            self._write("reads on", lambda: setattr(self._postgres, "cursor", cursor))

    def _read(self) -> tuple[int, list[str], list[Run], set[str]]:
        postgres = self._postgres
        failed = [event.run_id for event in postgres.events[postgres.cursor :] if event.kind == "RUN_FAILURE"]
        asked = {run.tags[TICK] for run in postgres.runs.values()}
        return len(postgres.events), failed, postgres.with_status(STATUS.QUEUED), asked

    def _begin(self, run_id: str) -> None:
        if self._postgres.runs[run_id].status is STATUS.QUEUED:
            self._postgres.set_status(run_id, STATUS.STARTING)

    def _retry(self, run_id: str) -> None:
        """Dagster's consumer: it passes over a run that has not failed, and tries once."""
        run = self._postgres.ask(lambda: self._postgres.runs[run_id])
        if run.status is not STATUS.FAILURE:
            self._loop.note(self._process.name, f"passes over {run_id}, which is {run.status.value}")
            return
        group = self._postgres.ask(lambda: describe(self._postgres.group(run.root)))
        will = has_retries_left(next(each for each in group if each.run == run_id), group, MOST_RETRIES)
        if not will or any(each.parent == run_id for each in group):
            return
        self._postgres.ask(lambda: self._postgres.add_tags(run_id, {WILL_RETRY: "true"}))
        try:
            self._world.code_server.ask(lambda: None)  # it says which steps are left
            self._write(f"retries {run_id}", lambda: insert_retry(self._world, run_id, len(group)))
        except AWAY as error:
            self._loop.note(self._process.name, f"can't retry {run_id}: {error}")
            self._postgres.ask(lambda: self._postgres.add_tags(run_id, {WILL_RETRY: "false"}))

    def _find_missing(self) -> None:
        """The sensor `lost_retries`: the webserver starts the retry, perhaps after the sensor waits no longer."""
        for root in self._postgres.ask(lambda: [run for run in self._postgres.runs.values() if not run.parent_run_id]):
            group = self._postgres.ask(lambda root=root: describe(self._postgres.group(root.run_id)))
            if run_id := find_missing_retry(group, MOST_RETRIES, self._loop.now):
                self._loop.note("lost_retries", f"finds that {run_id} has no retry")
                start = partial(insert_retry, self._world, run_id, len(group))
                self._world.code_server.ask(start, WEBSERVER_PATIENCE)


def describe(group: list[Run]) -> list[Attempt]:
    """The runs of a group as the retry rule sees them."""
    return [
        Attempt(
            run.run_id,
            run.root,
            run.parent_run_id,
            began=run.began,
            ended=run.status in (STATUS.FAILURE, STATUS.SUCCESS),
            failed=run.updated if run.status is STATUS.FAILURE else None,
            max_retries=int(run.tags[MAX_RETRIES]) if MAX_RETRIES in run.tags else None,
            will_retry=find_decision(run.tags),
        )
        for run in group
    ]


def insert_retry(world: World, run_id: str, number: int) -> None:
    """Adds the retry of a run. It inherits the tags that Dagster lets it inherit."""
    parent = world.postgres.runs[run_id]
    tags = {name: value for name, value in parent.tags.items() if name != WILL_RETRY} | {NUMBER: str(number)}
    world.postgres.insert_run(Run(world.name_run(parent.root), parent.root, run_id, tags=tags))
