"""The run launcher: Dagster's for Kubernetes, for which a worker is alive as long as it renews its lease.

Whether a worker lives is asked of the lease that it holds (resources/supervision/worker.py), and of Kubernetes only if
that is not renewed. No answer is not a death, and a worker that is given up is fenced before its run is failed.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from threading import Thread
from typing import Any, cast

import dagster as dg
from dagster_k8s import K8sRunLauncher
from dagster_k8s.job import get_job_name_from_run_id

# What the health check returns has no public name (decision 0015).
from dagster_k8s.launcher import (
    CheckRunHealthResult,  # pyright: ignore[reportPrivateImportUsage]
    WorkerStatus,  # pyright: ignore[reportPrivateImportUsage]
)

from resources.history.tags import CRASHED, LOST_AT, MOST, NODE, NUMBER, ROOT
from resources.launching.placement import placed
from resources.supervision.lease import Leases

log = logging.getLogger(__name__)
# The kernel may end the holder of the lease together with its worker.
OUT_OF_MEMORY = "OOMKilled"
# The exit code of what SIGTERM ended.
ASKED_TO_END = 143
# The container that works: others may have been injected beside it.
CONTAINER = "dagster"
# Labels of the Jobs of runs, and of steps only.
RUN, STEP = "dagster/run-id", "dagster/op"
# What the Kubernetes API answers to what makes no sense.
NONSENSE = (400, 422)
ALIVE = (WorkerStatus.RUNNING, WorkerStatus.SUCCESS)


class NoAnswer(Exception):
    """Neither the lease of a run's worker nor its Job can be asked about."""


@dataclass
class Silence:
    """For how long leases have not been renewed, as one watcher sees it: clocks need not agree.

    Args:
        most: leases that it remembers.
    """

    most: int = 10_000
    _seen: dict[str, tuple[datetime, float]] = field(default_factory=dict)

    def of(self, name: str, deadline: datetime) -> float:
        """Seconds since this watcher first saw this deadline; 0 if it has moved."""
        before = self._seen.pop(name, None)
        if before is None or before[0] != deadline:
            before = (deadline, time.monotonic())
        self._seen[name] = before
        if len(self._seen) > self.most:  # those of runs that ended come first, as nobody asks for them
            del self._seen[next(iter(self._seen))]
        return time.monotonic() - before[1]

    def forget(self) -> None:
        """Begins to watch anew: while nothing could be seen, nobody was silent."""
        self._seen.clear()


def exit_code(pod: Any) -> int | None:
    """That of a pod's worker; None if it has not ended, or never began."""
    status = next((each for each in pod.status.container_statuses or [] if each.name == CONTAINER), None)
    return status.state.terminated.exit_code if status and status.state.terminated else None


def ended(job: Any) -> bool:
    """Whether Kubernetes has no more pods to start for a Job, and none that work."""
    return any(each.type in {"Complete", "Failed"} and each.status == "True" for each in job.status.conditions or [])


def is_refused(error: Exception) -> bool:
    """Whether a run can't be launched as it is, however often: it asks for what it may not have, or for nonsense."""
    if type(error) is Exception:  # what stock raises for a field that is not allowed
        return True
    return isinstance(error, dg.DagsterInvalidConfigError) or getattr(error, "status", None) in NONSENSE


class LeasedK8sRunLauncher(K8sRunLauncher):
    """`K8sRunLauncher`, with its config, that gives a worker up if its lease falls silent, or its Job says so.

    Stock learns of a lost node when Kubernetes has given it up, about a minute later, and takes one refused connection,
    429 or 502 for a death: it fails a run that is well, and retries it beside itself. Where nothing can be learned, the
    monitor writes the error to its log, and looks again at its next round.

    libpq's variables (PGHOST, …) say where the leases are.

    Args:
        lease_seconds: how long a lease may be silent.
        crash_retries: how often a run is retried whose worker ended by itself, killed for memory for example, whatever
            the budget for lost workers.
        spot_attempts: attempts that are bound to spot nodes; later ones look for a node that stays.
    """

    def __init__(self, lease_seconds: int, crash_retries: int, spot_attempts: int, **more: Any) -> None:
        super().__init__(**more)
        self._leases, self._silence = Leases("", "run monitoring"), Silence()
        self._asking = ThreadPoolExecutor(4, "asks about Jobs")
        self._patience, self._crash_retries, self._spot_attempts = lease_seconds, crash_retries, spot_attempts

    @classmethod
    def config_type(cls) -> Any:
        ours = {"lease_seconds": 8, "crash_retries": 2, "spot_attempts": 4}
        fields = {name: dg.Field(int, default_value=value) for name, value in ours.items()}
        return {**cast("dict[str, Any]", super().config_type()), **fields}

    def get_container_context_for_run(self, dagster_run: Any) -> Any:
        """Stock's, with the place of this attempt (resources/launching/placement.py), and its number for its pod."""
        context, run = super().get_container_context_for_run(dagster_run), dagster_run
        parent = self._instance.get_run_by_id(run.parent_run_id) if run.parent_run_id else None
        lost_on = parent.tags.get(NODE) if parent else None
        config, attempt = context.run_k8s_config, run.tags.get(NUMBER, "0")
        spec = placed(config.pod_spec_config, int(attempt), self._spot_attempts, lost_on)
        capacity = "spot" if "node_selector" in spec else "any"
        told = {"PLATFORM_ATTEMPT": attempt, "PLATFORM_CAPACITY": capacity}
        # A pod of the image before reads the old names, which end with the next release.
        told |= {"PLATFORM_ATTEMPT": attempt, "PLATFORM_CAPACITY": capacity}
        environment = [{"name": name, "value": value} for name, value in told.items()]
        container = {**config.container_config, "env": [*config.container_config.get("env", []), *environment]}
        return context._replace(run_k8s_config=config._replace(pod_spec_config=spec, container_config=container))

    def launch_run(self, context: Any) -> None:
        """Stock's. A run that can't be launched as it is fails once: twenty retries would fail as it did."""
        try:
            super().launch_run(context)
        except Exception as error:
            if is_refused(error):
                self._instance.add_run_tags(context.dagster_run.run_id, {MOST: "0"})
            raise

    def check_run_worker_health(self, run: Any) -> Any:
        """Whether the worker of a run lives. One that does not is fenced when this returns.

        Raises:
            NoAnswer: it is not known, as who was asked didn't answer.
        """
        found = self._health(run)
        if found.status not in ALIVE:  # its retry asks for the same places in a pool, and must not wait for them
            self._instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        return found

    def _health(self, run: Any) -> Any:
        lease = f"run/{run.run_id}"
        deadline = self._asked(self._leases.seen, lease)
        if deadline is None:  # no worker has begun yet, or it has ended
            found = self._job_health(run)
            now = self._instance.get_run_by_id(run.run_id)
            died = found.status is WorkerStatus.FAILED and now is not None and now.status is run.status
            return self._crashed(run, found) if died else found
        silent = self._silence.of(lease, deadline)
        if silent < 1:  # renewed since the last look
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        found = CheckRunHealthResult(
            WorkerStatus.UNKNOWN, f"its worker has not renewed its lease for {silent:.0f} s, and was given up"
        )
        if silent < self._patience:
            found = self._job_health(run)
        if found.status in ALIVE or not self._asked(self._leases.revoke, lease, deadline):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        if found.status is WorkerStatus.FAILED:
            info = self.get_run_worker_debug_info(run, include_container_logs=False) or ""
            return self._crashed(run, found) if OUT_OF_MEMORY in info else found
        renewed = deadline.timestamp() - self._patience
        self._instance.add_run_tags(run.run_id, {LOST_AT: f"{renewed:.1f}"})
        # The fence does not wait for an API server that may be as far away as the worker.
        Thread(target=self.delete_job, args=[run], daemon=True).start()
        return found

    def _crashed(self, run: Any, found: Any) -> Any:
        number = self.count_crash(run)
        return found._replace(msg=f"its worker ended by itself, crash {number} of this run; {found.msg}")

    def count_crash(self, run: Any) -> int:
        """Notes that the worker of a run ended by itself; once too often, the run is retried no more."""
        root = run.root_run_id or run.run_id
        group = [*self._instance.get_runs(dg.RunsFilter(tags={ROOT: root})), self._instance.get_run_by_id(root)]
        before = sum(each.tags.get(CRASHED) == each.run_id for each in group if each and each.run_id != run.run_id)
        enough = {MOST: "0"} if before >= self._crash_retries else {}
        self._instance.add_run_tags(run.run_id, {CRASHED: run.run_id, **enough})
        return before + 1

    def _asked(self, question: Callable[..., Any], *about: Any) -> Any:
        import psycopg2

        try:
            return question(*about)
        except psycopg2.Error as error:
            self._silence.forget()
            raise NoAnswer(f"the leases can't be read: {' '.join(str(error).split())}") from None

    def _job_health(self, run: Any) -> Any:
        """What stock finds: a Job that is gone is a death, as that is an answer."""
        found = self.in_time(super().check_run_worker_health, run)
        if found.status is WorkerStatus.UNKNOWN and "could not be found" not in (found.msg or ""):
            raise NoAnswer(f"run {run.run_id} is taken to be as it was: {found.msg}")
        return found

    def in_time(self, question: Callable[..., Any], *about: Any, seconds: float = 2, **more: Any) -> Any:
        """What the API server answers. One that is silent for as long as it likes must not keep others waiting.

        Raises:
            NoAnswer: nothing within that time.
        """
        try:
            return self._asking.submit(question, *about, **more).result(timeout=seconds)
        except TimeoutError:
            raise NoAnswer("all is taken to be as it was: the API server is silent") from None

    def _job(self, run: Any) -> dict[str, Any]:
        """Where Kubernetes has the Job of a run, for which nobody needs to know where its pod may go."""
        namespace = super().get_container_context_for_run(run).namespace
        return {"job_name": get_job_name_from_run_id(run.run_id), "namespace": namespace}

    def has_begun(self, run: Any) -> bool:
        """Whether a worker of the run has taken its lease and not ended by itself since, given up or not.

        Raises:
            NoAnswer: the leases can't be read.
        """
        return self._asked(self._leases.seen, f"run/{run.run_id}") is not None

    def active_jobs(self) -> list[str]:
        """The runs whose Jobs have not ended, and were not asked to."""
        selector = f"{RUN},!{STEP}"
        listed = self.in_time(
            self._api_client.batch_api.list_namespaced_job, self.job_namespace, label_selector=selector
        )
        return [job.metadata.labels[RUN] for job in listed.items if not (job.metadata.deletion_timestamp or ended(job))]

    def job_failed(self, run: Any) -> bool:
        """Whether the Job of a run has ended badly, by what its pod or Kubernetes did."""
        status = self.in_time(self._api_client.get_job_status, **self._job(run))
        return bool(status and status.failed and not status.active)

    def ended_by_itself(self, run: Any) -> bool:
        """Whether a pod of the run ended, and nobody asked it to: one that was taken away with its node was asked."""
        job = self._job(run)
        of_job = {"namespace": job["namespace"], "label_selector": f"job-name={job['job_name']}"}
        pods = self.in_time(self._api_client.core_api.list_namespaced_pod, **of_job).items
        return any(not pod.metadata.deletion_timestamp and exit_code(pod) not in (None, ASKED_TO_END) for pod in pods)

    def delete_job(self, run: Any) -> None:
        """Takes the pod away, once its node can be reached, and what the Job owns."""
        try:
            self._api_client.delete_job(**self._job(run))
        except Exception:
            log.exception("the Job of run %s, which was given up, could not be deleted", run.run_id)
