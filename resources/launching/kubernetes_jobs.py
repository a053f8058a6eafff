"""The adapter to the API server: what Kubernetes knows of the Jobs of runs, and how one is deleted.

Belongs here: calls to Kubernetes, their time limits, and the reading of its answers. Does not belong here: what an
answer means for a run (resources/launching/verdict.py).
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from resources.errors import PlatformError
from resources.launching.verdict import JobState

if TYPE_CHECKING:
    from dagster_k8s.client import DagsterKubernetesClient
    from kubernetes.client import V1ContainerStateTerminated, V1Job, V1Pod

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")
# Labels that dagster-k8s gives to the Jobs of runs and of steps. Only the Job of a step has the second.
RUN_LABEL, STEP_LABEL = "dagster/run-id", "dagster/op"
# The container of the worker, as dagster-k8s names it. Others may have been injected beside it.
CONTAINER = "dagster"
# The kubelet's reason for the end of a container that the kernel killed for its memory.
OUT_OF_MEMORY = "OOMKilled"
# The exit code of a process that SIGTERM ended.
ENDED_BY_SIGTERM = 143
NOT_FOUND = 404
# Seconds: a state is needed for a verdict that many runs wait for; a deletion or an explanation may take longer.
TIME_LIMIT, LONG_TIME_LIMIT = 2.0, 10.0


class NoAnswer(PlatformError):
    """PostgreSQL or the API server did not answer, so nothing new is known of a run."""


@dataclass(frozen=True)
class Job:
    """Where Kubernetes has a Job: its name and its namespace."""

    name: str
    namespace: str


def read_state(job: "V1Job") -> JobState:
    """Reads the state of a Job from the API server's answer. A Job without any pod yet is active."""
    status = job.status
    return JobState.ENDED if not status.active and (status.failed or status.succeeded) else JobState.ACTIVE


def is_over(job: "V1Job") -> bool:
    """Whether Kubernetes has no more pods to start for a Job, and none that work."""
    return any(each.type in {"Complete", "Failed"} and each.status == "True" for each in job.status.conditions or [])


def find_end(pod: "V1Pod") -> "V1ContainerStateTerminated | None":
    """How the worker's container of a pod ended; None if it has not ended, or never began."""
    statuses = (pod.status.container_statuses if pod.status else None) or []
    worker = next((each for each in statuses if each.name == CONTAINER), None)
    return worker.state.terminated if worker and worker.state else None


class KubernetesJobs:
    """Asks the API server about Jobs, and waits for each answer no longer than a time limit.

    Each method raises NoAnswer if the API server refuses, can't be reached, or is silent for too long.

    Args:
        client: dagster-k8s's client.
        time_limit: seconds.
    """

    def __init__(self, client: "DagsterKubernetesClient", time_limit: float = TIME_LIMIT) -> None:
        self._client, self._time_limit = client, time_limit

    def find_state(self, job: Job) -> JobState:
        """The state of a Job."""
        found = self.ask(
            self._client.batch_api.read_namespaced_job_status,
            job.name,
            job.namespace,
            _request_timeout=self._time_limit,
        )
        return JobState.GONE if found is None else read_state(found)

    def list_active_runs(self, namespace: str) -> list[str]:
        """The ids of the runs whose Jobs have not ended, and are not being deleted."""
        listed = self.ask(
            self._client.batch_api.list_namespaced_job,
            namespace,
            label_selector=f"{RUN_LABEL},!{STEP_LABEL}",
            _request_timeout=self._time_limit,
        )
        jobs = listed.items if listed else []
        return [each.metadata.labels[RUN_LABEL] for each in jobs if not (is_being_deleted(each) or is_over(each))]

    def find_host(self, job: Job) -> str | None:
        """The address of the pod of a Job; None: it has none yet, or there is no such pod."""
        pods = self._list_wanted_pods(job)
        return next((pod.status.pod_ip for pod in pods if pod.status and pod.status.pod_ip), None)

    def find_untaken_node(self, job: Job) -> str | None:
        """The node that Kubernetes chose for the pod of a Job, if the node has not taken it yet; else None.

        A node writes `startTime` as soon as it takes a pod, before it pulls an image (PodStatus in the API reference).
        """
        pods = self._list_wanted_pods(job)
        return next((pod.spec.node_name for pod in pods if pod.spec.node_name and not pod.status.start_time), None)

    def ended_by_itself(self, job: Job) -> bool:
        """Whether a pod of a Job ended, and nobody asked it to. A pod that was taken away with its node was asked."""
        ends = [find_end(pod) for pod in self._list_wanted_pods(job)]
        return any(end.exit_code != ENDED_BY_SIGTERM for end in ends if end)

    def ran_out_of_memory(self, job: Job) -> bool:
        """Whether the kernel killed a pod of a Job for its memory."""
        return any(end.reason == OUT_OF_MEMORY for pod in self._list_pods(job) if (end := find_end(pod)))

    def delete(self, job: Job) -> None:
        """Deletes a Job and its pods, if they are there. The pods of a node that is lost go when it can be reached."""
        self.ask(self._client.delete_job, job.name, job.namespace, time_limit=LONG_TIME_LIMIT)

    def delete_in_background(self, job: Job) -> None:
        """Begins to delete a Job; returns at once. A failure is logged, and `resources/launching/starts.py` repeats."""

        def delete() -> None:
            try:
                self._client.delete_job(job.name, job.namespace)
            except Exception:
                log.exception("Job %s, whose run was given up, could not be deleted", job.name)

        Thread(target=delete, name="deletes a Job", daemon=True).start()

    def ask(
        self, call: Callable[..., Answer], *arguments: Any, time_limit: float | None = None, **more: Any
    ) -> Answer | None:
        """Calls the API server in a thread of its own, because a call that hangs must not keep the monitor waiting.

        Args:
            call: what is called with the other arguments.
            arguments: for the call.
            time_limit: seconds; None: that of this adapter.
            more: for the call.

        Returns:
            The answer; None if there is no such object.

        Raises:
            NoAnswer: an error, or nothing within the time limit.
        """
        from kubernetes.client.rest import ApiException
        from urllib3.exceptions import HTTPError

        seconds = self._time_limit if time_limit is None else time_limit
        try:
            return start(call, *arguments, **more).result(timeout=seconds)
        except TimeoutError:
            raise NoAnswer(f"the API server was silent for {seconds:g} s") from None
        except ApiException as error:
            if error.status == NOT_FOUND:
                return None
            raise NoAnswer(f"the API server answered {error.status} {error.reason or ''}".rstrip()) from error
        except (HTTPError, OSError) as error:
            raise NoAnswer(f"the API server can't be reached: {' '.join(str(error).split())}") from error

    def _list_wanted_pods(self, job: Job) -> list["V1Pod"]:
        """The pods of a Job that nobody has asked Kubernetes to delete."""
        return [pod for pod in self._list_pods(job) if not is_being_deleted(pod)]

    def _list_pods(self, job: Job) -> list["V1Pod"]:
        listed = self.ask(
            self._client.core_api.list_namespaced_pod,
            job.namespace,
            label_selector=f"job-name={job.name}",
            _request_timeout=self._time_limit,
        )
        return listed.items if listed else []


def is_being_deleted(thing: Any) -> bool:
    """Whether somebody has asked Kubernetes to delete an object, a Job or a pod."""
    return thing.metadata.deletion_timestamp is not None


def start(call: Callable[..., Answer], *arguments: Any, **more: Any) -> Future[Answer]:
    """Begins a call in a thread of its own; it does not keep this process from ending."""
    answer = Future[Answer]()

    def run() -> None:
        try:
            answer.set_result(call(*arguments, **more))
        except BaseException as error:  # noqa: BLE001 (whoever waits for the answer gets the error)
            answer.set_exception(error)

    Thread(target=run, name="asks in the background", daemon=True).start()
    return answer
