"""A run launcher that is built as Dagster builds it, on an API server, a table of leases and an instance made up here.

What a test says of a run stands in `cluster`, `leases` and `instance`; what was done about it stands in `deeds`, in
its order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Condition
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import yaml
from kubernetes.client import (
    V1Job,
    V1JobList,
    V1JobStatus,
    V1ObjectMeta,
    V1Pod,
    V1PodList,
)
from kubernetes.client.rest import ApiException

from resources.launching.silence import SilenceWatch
from resources.run_launcher import LeasedK8sRunLauncher
from resources.supervision.lease_table import Leases
from tests.support.servers.pods import Clock, Pods

DEADLINE = datetime(2026, 1, 1, tzinfo=UTC)
LEASE_SECONDS, UNREACHABLE_SECONDS, START_TIMEOUT_SECONDS, CRASH_RETRIES, SPOT_ATTEMPTS = 8, 3, 120, 1, 3
# Of a cluster that is not there.
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "none",
    "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
    "clusters": [{"name": "none", "cluster": {"server": "https://localhost:1"}}],
    "users": [{"name": "none", "user": {}}],
}
ACTIVE, FAILED, SUCCEEDED = V1JobStatus(active=1), V1JobStatus(failed=1), V1JobStatus(succeeded=1)


class Deeds(list[str]):
    """What was done about a run, by any thread, in its order."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = Condition()

    def note(self, deed: str) -> None:
        with self._changed:
            self.append(deed)
            self._changed.notify_all()

    def wait_for(self, deed: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: deed in self, timeout=10), f"nobody did {deed!r}: {list(self)}"


@dataclass
class Cluster:
    """An API server that has the Job of one run, with this status, and these pods; None: it has no Job.

    It is both of the APIs that dagster-k8s takes. `error` is raised by each call, until it is None.
    """

    deeds: Deeds
    status: V1JobStatus | None = field(default_factory=lambda: ACTIVE)
    jobs: Sequence[V1Job] = ()
    pods: Sequence[V1Pod] = ()
    error: Exception | None = None
    refusal: Exception | None = None
    created: list[V1Job] = field(default_factory=list)
    asked: list[Mapping[str, Any]] = field(default_factory=list)

    def read_namespaced_job_status(self, name: str, namespace: str, **more: Any) -> V1Job:
        self._note("ask", name=name, namespace=namespace, **more)
        if self.status is None:
            raise ApiException(404, "Not Found")
        return V1Job(metadata=V1ObjectMeta(name=name), status=self.status)

    def list_namespaced_job(self, namespace: str, **more: Any) -> V1JobList:
        self._note("list jobs", namespace=namespace, **more)
        return V1JobList(items=list(self.jobs))

    def list_namespaced_pod(self, namespace: str, **more: Any) -> V1PodList:
        self._note("list pods", namespace=namespace, **more)
        return V1PodList(items=list(self.pods))

    def list_namespaced_event(self, namespace: str, **more: Any) -> Any:
        self._note("list events", namespace=namespace, **more)
        unschedulable = SimpleNamespace(type="Warning", reason="FailedScheduling", message="no node", count=1)
        return SimpleNamespace(items=[unschedulable])

    def create_namespaced_job(self, body: V1Job, namespace: str, **more: Any) -> None:
        self._note("create", namespace=namespace, **more)
        if self.refusal:
            raise self.refusal
        self.created.append(body)

    def delete_namespaced_job(self, name: str, namespace: str, **more: Any) -> None:
        self._note(f"delete {name}", namespace=namespace, **more)

    def delete_namespaced_pod(self, name: str, namespace: str, **more: Any) -> None:
        self._note(f"delete pod {name}", namespace=namespace, **more)

    def read_namespaced_pod_log(self, **more: Any) -> Any:
        self._note("read log", **more)
        return SimpleNamespace(data=b"the last words of the worker")

    def _note(self, deed: str, **arguments: Any) -> None:
        self.asked.append({"deed": deed, **arguments})
        if self.error:
            raise self.error
        if deed.startswith(("delete", "create")):
            self.deeds.note(deed)


@dataclass
class TableOfLeases:
    """The table of leases: deadlines by name. `error` is raised by each question, until it is None."""

    deeds: Deeds
    deadlines: dict[str, datetime] = field(default_factory=dict)
    renewed_meanwhile: bool = False
    taken_meanwhile: bool = False
    error: Exception | None = None

    def find_deadline(self, name: str) -> datetime | None:
        if self.error:
            raise self.error
        return self.deadlines.get(name)

    def revoke(self, name: str, deadline: datetime) -> bool:
        if self.error:
            raise self.error
        if self.renewed_meanwhile or self.deadlines[name] != deadline:
            return False
        self.deeds.note(f"fence {name}")
        return True

    def refuse(self, name: str) -> bool:
        if self.error:
            raise self.error
        if self.taken_meanwhile or name in self.deadlines:
            return False
        self.deeds.note(f"refuse {name}")
        return True


@dataclass
class Instance:
    """What a launcher asks of Dagster's instance: runs, their tags, and concurrency slots."""

    deeds: Deeds
    runs: dict[str, dg.DagsterRun] = field(default_factory=dict)
    launched: dict[str, datetime] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)
    updated: dict[str, datetime] = field(default_factory=dict)
    run_retries_max_retries: int = 20
    reports: list[tuple[str, str]] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)

    @property
    def event_log_storage(self) -> Any:
        return SimpleNamespace(free_concurrency_slots_for_run=lambda run: self.deeds.note(f"free slots {run}"))

    def add(self, status: dg.DagsterRunStatus = dg.DagsterRunStatus.STARTED, **more: Any) -> dg.DagsterRun:
        run = dg.DagsterRun(job_name="refresh", status=status, **more)
        self.runs[run.run_id] = run
        return run

    def change(self, run: dg.DagsterRun, status: dg.DagsterRunStatus) -> None:
        self.runs[run.run_id] = self.runs[run.run_id].with_status(status)

    def get_run_by_id(self, run_id: str) -> dg.DagsterRun | None:
        return self.runs.get(run_id)

    def get_runs(self, filters: dg.RunsFilter, limit: int | None = None) -> list[dg.DagsterRun]:
        now = datetime.now(UTC)
        return [
            run
            for run in self.runs.values()
            if filters.tags.items() <= run.tags.items()
            and (not filters.statuses or run.status in filters.statuses)
            and (not filters.updated_after or self.updated.get(run.run_id, now) > filters.updated_after)
        ][:limit]

    def get_run_records(self, filters: dg.RunsFilter) -> list[Any]:
        now = datetime.now(UTC)
        return [
            SimpleNamespace(
                dagster_run=run,
                update_timestamp=self.launched.get(run.run_id, now),
                end_time=self.ended.get(run.run_id),
            )
            for run in self.runs.values()
            if run.status in filters.statuses and (filters.run_ids is None or run.run_id in filters.run_ids)
        ]

    def add_run_tags(self, run_id: str, new_tags: Mapping[str, str]) -> None:
        run = self.runs[run_id]
        self.runs[run_id] = run.with_tags({**run.tags, **new_tags})
        self.deeds.note(f"tag {', '.join(sorted(new_tags))}")

    def count_resume_run_attempts(self, run_id: str) -> int:
        return 0

    def get_ref(self) -> None:
        return None

    def report_engine_event(self, message: str, run: dg.DagsterRun, *_: Any, **__: Any) -> None:
        self.reports.append((run.run_id, message))

    def report_run_failed(self, run: dg.DagsterRun, message: str) -> None:
        self.failures.append((run.run_id, message))


@dataclass
class Launching:
    """A launcher with all that it stands on."""

    cluster: Cluster
    leases: TableOfLeases
    instance: Any
    clock: Clock
    deeds: Deeds
    pods: Pods
    launcher: LeasedK8sRunLauncher

    def hold_lease(self, run: dg.DagsterRun, renewed: float = 0) -> None:
        """A worker holds the lease of a run, and has renewed it so many seconds after it took it."""
        self.leases.deadlines[f"run/{run.run_id}"] = DEADLINE + timedelta(seconds=renewed)

    def check(self, run: dg.DagsterRun) -> str:
        """What run monitoring is told about the worker of a run."""
        return self.launcher.check_run_worker_health(run).status.value

    def check_every_3_seconds(self, run: dg.DagsterRun, seconds: int) -> list[str]:
        found = []
        for _ in range(0, seconds + 1, 3):
            found.append(self.check(run))
            self.clock.now += 3
        return found

    def tags(self, run: dg.DagsterRun) -> Mapping[str, str]:
        """The tags of a run as they are now, without Dagster's own that say where it comes from."""
        return self.instance.runs[run.run_id].tags


def launching(folder: Path, table: Leases | None = None, **config: Any) -> Launching:
    """Builds a launcher as Dagster does, from its config.

    Args:
        folder: for the file that names the cluster.
        table: a real table of leases; None: one that is made up.
        config: more of it.
    """
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(KUBECONFIG))
    deeds, clock = Deeds(), Clock()
    cluster, leases, instance, pods = Cluster(deeds), TableOfLeases(deeds), Instance(deeds), Pods()
    needed = {
        "service_account_name": "run",
        "instance_config_map": "instance",
        "dagster_home": "/opt/dagster",
        "job_image": "platform:1",
        "job_namespace": "ns",
        "load_incluster_config": False,
        "kubeconfig_file": str(kubeconfig),
        "lease_seconds": LEASE_SECONDS,
        "unreachable_seconds": UNREACHABLE_SECONDS,
        "start_timeout_seconds": START_TIMEOUT_SECONDS,
        "witness": "",
        "crash_retries": CRASH_RETRIES,
        "spot_attempts": SPOT_ATTEMPTS,
    }
    collaborators = {
        "leases": table or leases,
        "silence": SilenceWatch(clock=clock),
        "untaken": SilenceWatch(clock=clock),
        "reach": pods.reach(clock),
        "k8s_client_batch_api": cluster,
        "k8s_client_core_api": cluster,
    }
    launcher = LeasedK8sRunLauncher.from_config_value(cast("Any", None), needed | collaborators | config)
    launcher.register_instance(cast("Any", instance))
    return Launching(cluster, leases, instance, clock, deeds, pods, launcher)
