"""Pods as the API server knows them, their network as a watcher of leases sees it, and the clock of that watcher."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kubernetes.client import (
    V1ContainerState,
    V1ContainerStateTerminated,
    V1ContainerStatus,
    V1ObjectMeta,
    V1Pod,
    V1PodSpec,
    V1PodStatus,
)

from resources.launching.reach import Reach


@dataclass
class Clock:
    """A clock that a test moves."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Pods:
    """The network of the pods: which addresses answer, and whether the witness does.

    A call has ended when it was begun, unless `is_slow`: then with `end_calls`.
    """

    answering: set[str] = field(default_factory=set)
    has_witness: bool = True
    is_slow: bool = False
    called: list[str] = field(default_factory=list)
    _under_way: list[Any] = field(default_factory=list)

    def knock(self, host: str, seconds: float) -> bool:
        self.called.append(host)
        return host in self.answering

    def start(self, call: Any) -> Future[Any]:
        answer = Future[Any]()
        self._under_way.append(lambda: answer.set_result(call()))
        if not self.is_slow:
            self.end_calls()
        return answer

    def end_calls(self) -> None:
        while self._under_way:
            self._under_way.pop()()

    def reach(self, clock: Clock) -> Reach:
        return Reach(self.knock, lambda: self.has_witness, self.start, clock=clock)


def pod(
    *ends: tuple[str, V1ContainerStateTerminated | None],
    deleted: datetime | None = None,
    node: str | None = None,
    taken: datetime | None = None,
) -> V1Pod:
    """A pod as the API server knows it.

    Args:
        ends: how its containers, by name, have ended; None: one has not.
        deleted: when somebody asked for its deletion.
        node: the node that Kubernetes has chosen for it.
        taken: when the node took it.
    """
    statuses = [
        V1ContainerStatus(
            name=name, state=V1ContainerState(terminated=end), image="", image_id="", ready=False, restart_count=0
        )
        for name, end in ends
    ]
    return V1Pod(
        metadata=V1ObjectMeta(name="a-pod", deletion_timestamp=deleted),
        spec=V1PodSpec(containers=[], node_name=node),
        status=V1PodStatus(phase="Running", container_statuses=statuses or None, start_time=taken),
    )


def ended_with(code: int, reason: str = "Error") -> V1ContainerStateTerminated:
    """The end of a container."""
    return V1ContainerStateTerminated(exit_code=code, reason=reason)
