"""Runs that were launched and do not begin: their worker was lost or ended, or it has no node, no image or no quota.

Stock looks at none of them before the start timeout, says nothing until then, and leaves their Jobs behind, to begin
some day beside their retries (dagster issues 16535, 15325).
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dagster as dg

from resources.launching.launcher import ALIVE, LeasedK8sRunLauncher, NoAnswer

log = logging.getLogger(__name__)
STARTING = dg.DagsterRunStatus.STARTING
GIVEN_UP = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
# Seconds that a worker has to end by itself after its run; and between two looks for Jobs that outlived their runs.
LAST_WORDS, TIDY = 120, 60


@contextmanager
def apart(what: str) -> Iterator[None]:
    """What goes wrong with one of them is written to the log, and is no reason not to look at the others."""
    try:
        yield
    except NoAnswer as error:
        log.warning("%s can't be looked at: %s", what, error)
    except Exception:
        log.exception("%s can't be looked at", what)


@dataclass
class Starts:
    """What is done about them, once each.

    Args:
        patience: seconds that a run may start before its reason is looked for.
    """

    instance: dg.DagsterInstance
    launcher: LeasedK8sRunLauncher
    patience: float = 30
    _told: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Fails runs whose worker has ended or fell silent, and says why others wait."""
        starting = self.instance.get_run_records(dg.RunsFilter(statuses=[STARTING]))
        for record in starting:
            with apart(f"run {record.dagster_run.run_id} starts, and"):
                self._look_at(record)
        self._told &= {record.dagster_run.run_id for record in starting}

    def _look_at(self, record: dg.RunRecord) -> None:
        run = record.dagster_run
        if self.launcher.has_begun(run):
            self._ask_for_life(run)
        elif self.launcher.job_failed(run):
            self._fail(run)
        elif record.update_timestamp.timestamp() < time.time() - self.patience and run.run_id not in self._told:
            reason = self._reason(run, include_container_logs=False)
            self.instance.report_engine_event(f"It has not begun after {self.patience:.0f} s.\n{reason}", run)
            self._told.add(run.run_id)

    def tidy(self) -> None:
        """Deletes the Jobs of runs that were given up, whoever forgot it: their pods may not have begun yet."""
        active = self.launcher.active_jobs()
        if not active:
            return
        for record in self.instance.get_run_records(dg.RunsFilter(run_ids=active, statuses=GIVEN_UP)):
            if (record.end_time or 0) < time.time() - LAST_WORDS:
                self.launcher.in_time(self.launcher.delete_job, record.dagster_run, seconds=10)

    def _ask_for_life(self, run: dg.DagsterRun) -> None:
        """A worker imports for seconds before its run begins, and may be lost in them."""
        found = self.launcher.check_run_worker_health(run)
        if found.status not in ALIVE and self._still_starts(run):
            self.instance.report_run_failed(run, f"Its worker was lost before it began: {found.msg}")

    def _fail(self, run: dg.DagsterRun) -> None:
        reason = self._reason(run)
        if self._still_starts(run):
            if self.launcher.ended_by_itself(run):
                self.launcher.count_crash(run)
            self.instance.report_run_failed(run, f"Its worker ended before it began.\n{reason}")

    def _reason(self, run: dg.DagsterRun, **more: bool) -> str:
        return self.launcher.in_time(self.launcher.get_run_worker_debug_info, run, seconds=10, **more)

    def _still_starts(self, run: dg.DagsterRun) -> bool:
        now = self.instance.get_run_by_id(run.run_id)
        return now is not None and now.status is STARTING


def watch_starts(pause: float = 3) -> None:
    """Looks for as long as this process lives, if runs are launched on Kubernetes."""
    with dg.DagsterInstance.get() as instance:
        if not isinstance(instance.run_launcher, LeasedK8sRunLauncher):
            return
        starts, tidied = Starts(instance, instance.run_launcher), time.monotonic()
        while True:
            time.sleep(pause)
            with apart("runs that start"):
                starts.look()
            if time.monotonic() - tidied >= TIDY:
                tidied = time.monotonic()
                with apart("Jobs that outlived their runs"):
                    starts.tidy()
