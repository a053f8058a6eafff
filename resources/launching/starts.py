"""Runs that were launched and do not begin: their worker or node was lost, or there is no node, no image or no quota.

Stock Dagster checks none of them before the start timeout, and gives no reason until then. It leaves their Jobs behind,
which may begin some day beside the retries of their runs (dagster issues 16535, 15325). Here a run that takes too long
is failed before that, once no worker can begin it any more.

Belongs here: what is done about runs in the status STARTING, and about Jobs that outlived their runs. Does not belong
here: runs whose worker has begun, which Dagster's run monitoring checks.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dagster as dg

from resources.launching.kubernetes_jobs import NoAnswer
from resources.launching.launcher import HEALTHY, LeasedK8sRunLauncher
from resources.launching.verdict import JobState

log = logging.getLogger(__name__)
STARTING = dg.DagsterRunStatus.STARTING
GIVEN_UP = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
# Seconds that a run may start before the reason is looked for.
PATIENCE = 30.0
# Seconds that a worker has to end by itself after its run has ended.
TIME_TO_END = 120.0
# Seconds between two checks of runs, and between two searches for Jobs that outlived their runs.
PAUSE, PAUSE_BETWEEN_SEARCHES = 3.0, 60.0


@contextmanager
def log_errors(action: str) -> Iterator[None]:
    """Logs an error and goes on, because one run that can't be checked is no reason not to check the others."""
    try:
        yield
    except NoAnswer as error:
        log.warning("can't %s: %s", action, error)
    except Exception:
        log.exception("can't %s", action)


class StartingRuns:
    """Checks runs that start, and does about each what is to be done once.

    Args:
        instance: Dagster's.
        launcher: the one that launches its runs.
        clock: returns Unix seconds.
    """

    def __init__(
        self, instance: dg.DagsterInstance, launcher: LeasedK8sRunLauncher, clock: Callable[[], float] = time.time
    ) -> None:
        self._instance, self._launcher, self._clock = instance, launcher, clock
        self._explained = set[str]()

    def check_all(self) -> None:
        """Fails the runs whose worker was lost or has ended, and logs why others wait."""
        starting = self._instance.get_run_records(dg.RunsFilter(statuses=[STARTING]))
        for record in starting:
            with log_errors(f"check run {record.dagster_run.run_id}, which starts"):
                self._check(record)
        self._explained &= {record.dagster_run.run_id for record in starting}

    def delete_leftover_jobs(self) -> None:
        """Deletes the Jobs of runs that failed or were canceled. Their pods may not even have begun yet."""
        active = self._launcher.jobs.list_active_runs(self._launcher.job_namespace)
        if not active:
            return
        for record in self._instance.get_run_records(dg.RunsFilter(run_ids=active, statuses=GIVEN_UP)):
            run = record.dagster_run
            if (record.end_time or 0) < self._clock() - TIME_TO_END:
                with log_errors(f"delete the Job of run {run.run_id}"):
                    self._launcher.jobs.delete(self._launcher.locate_job(run))

    def _check(self, record: dg.RunRecord) -> None:
        run = record.dagster_run
        seconds = self._clock() - record.update_timestamp.timestamp()
        if self._launcher.has_begun(run):
            self._fail_if_lost(run)
        elif seconds >= self._launcher.start_timeout_seconds:
            self._fail_late(run)
        elif self._launcher.find_job_state(run) is JobState.ENDED:
            self._fail(run)
        elif node := self._launcher.give_up_untaken(run):
            if self._still_starts(run):
                self._instance.report_run_failed(run, f"Its node {node} did not take its pod, and so it was given up.")
        elif seconds > PATIENCE and run.run_id not in self._explained:
            reason = self._launcher.get_run_worker_debug_info(run, include_container_logs=False)
            self._instance.report_engine_event(f"It has not begun after {PATIENCE:.0f} s.\n{reason}", run)
            self._explained.add(run.run_id)

    def _fail_if_lost(self, run: dg.DagsterRun) -> None:
        """A worker imports for seconds before its run begins, and may be lost in them."""
        found = self._launcher.check_run_worker_health(run)
        if found is not HEALTHY and self._still_starts(run):
            self._instance.report_run_failed(run, f"Its worker was lost before it began: {found.msg}")

    def _fail_late(self, run: dg.DagsterRun) -> None:
        """Fails a run before Dagster does, which would leave its lease to whoever takes it."""
        try:
            reason = self._launcher.get_run_worker_debug_info(run)
        except NoAnswer as error:  # it fails all the same: its worker may be as far away as the API server
            reason = str(error)
        if self._launcher.refuse_worker(run) and self._still_starts(run):
            timeout = self._launcher.start_timeout_seconds
            self._instance.report_run_failed(run, f"It has not begun after {timeout} s.\n{reason}")

    def _fail(self, run: dg.DagsterRun) -> None:
        reason = self._launcher.get_run_worker_debug_info(run)
        if self._still_starts(run):
            if self._launcher.jobs.ended_by_itself(self._launcher.locate_job(run)):
                self._launcher.count_crash(run)
            self._instance.report_run_failed(run, f"Its worker ended before it began.\n{reason}")

    def _still_starts(self, run: dg.DagsterRun) -> bool:
        now = self._instance.get_run_by_id(run.run_id)
        return now is not None and now.status is STARTING


def watch_starts() -> None:
    """Watches for as long as this process lives, if runs are launched on Kubernetes."""
    with dg.DagsterInstance.get() as instance:
        if isinstance(instance.run_launcher, LeasedK8sRunLauncher):
            watch(StartingRuns(instance, instance.run_launcher))


def watch(
    starts: StartingRuns, wait: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic
) -> None:
    """Checks runs that start every few seconds, and looks for leftover Jobs every minute. It never returns.

    Args:
        starts: what is checked.
        wait: waits for so many seconds.
        clock: returns seconds; it never goes back.
    """
    searched = clock()
    while True:
        wait(PAUSE)
        with log_errors("check the runs that start"):
            starts.check_all()
        if clock() - searched >= PAUSE_BETWEEN_SEARCHES:
            searched = clock()
            with log_errors("find Jobs that outlived their runs"):
                starts.delete_leftover_jobs()
