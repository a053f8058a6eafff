"""Runs that were launched and do not begin: their worker ended at once, or it has no node, no image or no quota.

Stock looks at none of them before the start timeout, says nothing until then, and leaves their Jobs behind, to begin
some day beside their retries (dagster issues 16535, 15325).
"""

import logging
import time
from dataclasses import dataclass, field

import dagster as dg

from resources.run_launcher import LeasedK8sRunLauncher

log = logging.getLogger(__name__)
STARTING, FAILED = dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.FAILURE


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
    _waited_for: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Fails runs whose worker has ended, says why others wait, and deletes the Jobs of those that were given up."""
        starting = self.instance.get_run_records(dg.RunsFilter(statuses=[STARTING]))
        for record in starting:
            run = record.dagster_run
            if self.launcher.job_failed(run):
                self._fail(run)
            elif record.update_timestamp.timestamp() < time.time() - self.patience and run.run_id not in self._told:
                self._told.add(run.run_id)
                reason = self.launcher.get_run_worker_debug_info(run, include_container_logs=False)
                self.instance.report_engine_event(f"It has not begun after {self.patience:.0f} s.\n{reason}", run)
        still = {record.dagster_run.run_id for record in starting}
        for run_id in self._waited_for - still:
            run = self.instance.get_run_by_id(run_id)
            if run and run.status is FAILED:
                self.launcher.delete_job(run)
        self._waited_for, self._told = still, self._told & still

    def _fail(self, run: dg.DagsterRun) -> None:
        reason = self.launcher.get_run_worker_debug_info(run)
        now = self.instance.get_run_by_id(run.run_id)
        if now and now.status is STARTING:
            if self.launcher.ended_by_itself(run):
                self.launcher.count_crash(run)
            self.instance.report_run_failed(run, f"Its worker ended before it began.\n{reason}")


def watch_starts(pause: float = 5) -> None:
    """Looks for as long as this process lives, if runs are launched on Kubernetes."""
    with dg.DagsterInstance.get() as instance:
        if not isinstance(instance.run_launcher, LeasedK8sRunLauncher):
            return
        starts = Starts(instance, instance.run_launcher)
        while True:
            time.sleep(pause)
            try:
                starts.look()
            except Exception:
                log.exception("runs that start could not be looked at")
