"""Kubernetes: nodes, Jobs with one pod each, and an API server that learns late what became of a node.

Belongs here: where a pod runs, and what is known of it. Does not belong here: what its processes do (`actors`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from resources.launching.kubernetes_jobs import NoAnswer
from resources.launching.verdict import JobState
from simulation.loop import Loop, Process
from simulation.models.network import Service

# Seconds: until a node is chosen for a pod; then until the API server knows that the node has taken it, and until its
# processes start.
SCHEDULING, REPORTING, STARTING = (0.1, 0.3), (0.1, 1.5), (0.4, 1.7)
# Seconds: until the API server gives up a node that does not answer, and until a deleted pod has ended.
NODE_TIMEOUT, DELETION = 45.0, 1.0


@dataclass
class Node:
    """A machine.

    Attributes:
        away_until: nothing of it is reached until then, because its wire is cut or it is frozen.
        cordoned_until: Kubernetes chooses it for no pod until then.
        busy_until: its processors have no time until then.
        lost_at: when it lost its power; None: it has not.
    """

    name: str
    away_until: float = 0.0
    cordoned_until: float = 0.0
    busy_until: float = float("-inf")
    lost_at: float | None = None
    processes: list[Process] = field(default_factory=list)


@dataclass
class Pod:
    """The pod of a run's Job.

    Attributes:
        ended_at: when its processes ended; None: they have not.
        is_taken: whether the API server knows that its node has taken it.
        known_from: since when the API server knows of the end.
        out_of_memory: whether the kernel killed it for its memory.
        was_disturbed: whether a fault struck it, so that giving it up is right.
        notify: gives its worker a notice.
    """

    run_id: str
    node: Node
    processes: list[Process] = field(default_factory=list)
    is_taken: bool = False
    ended_at: float | None = None
    known_from: float = 0.0
    out_of_memory: bool = False
    was_disturbed: bool = False
    notify: Callable[[], None] = lambda: None


class Cluster:
    """The nodes, the Jobs, and the API server. Its methods are also what the launcher asks about Jobs.

    Args:
        start: starts the processes of a pod.

    Attributes:
        jobs: the pod of each Job, by the id of its run; None: it has none yet.
        deletes_from: until then, a Job that is to be deleted stays.
    """

    def __init__(self, loop: Loop, nodes: int, start: Callable[[Pod], None]) -> None:
        self.loop, self.api = loop, Service(loop, "the API server", NoAnswer)
        self.holders = Service(loop, "the network of the pods", ConnectionError)
        self.nodes = [Node(f"node-{number}") for number in range(1, nodes + 1)]
        self.jobs, self.deletes_from = dict[str, Pod | None](), 0.0
        self._start = start

    def create(self, run_id: str) -> None:
        """Creates the Job of a run; one that is there already is no error."""
        self.api.ask(lambda: self._create(run_id))

    def find_state(self, run_id: str) -> JobState:
        """As `KubernetesJobs.find_state`."""
        return self.api.ask(lambda: self._find_state(run_id))

    def find_host(self, run_id: str) -> str | None:
        """As `KubernetesJobs.find_host`; a pod has the address of its run."""
        return self.api.ask(lambda: run_id if self.jobs.get(run_id) else None)

    def find_untaken_node(self, run_id: str) -> str | None:
        """As `KubernetesJobs.find_untaken_node`."""
        return self.api.ask(lambda: pod.node.name if (pod := self.jobs.get(run_id)) and not pod.is_taken else None)

    def knock(self, run_id: str, seconds: float) -> bool:
        """As `resources.launching.knocking.knock`: the kernel of a machine answers for its holder."""
        pod = self.jobs.get(run_id)
        if pod is None or pod.node.lost_at is not None or pod.node.away_until > self.loop.now:
            self.loop.sleep(seconds)
            return False
        try:
            return self.holders.ask(lambda: pod.ended_at is None, seconds)
        except ConnectionError:
            return False

    def ran_out_of_memory(self, run_id: str) -> bool:
        """As `KubernetesJobs.ran_out_of_memory`."""
        return self.api.ask(lambda: (pod := self.jobs.get(run_id)) is not None and pod.out_of_memory)

    def delete_in_background(self, run_id: str) -> None:
        """As `KubernetesJobs.delete_in_background`: a loss of the request is made good by nobody here."""
        self.loop.after(max(0.01, self.deletes_from - self.loop.now), lambda: self._delete(run_id))

    def _create(self, run_id: str) -> None:
        if run_id not in self.jobs:
            self.jobs[run_id] = None
            self.loop.after(self.loop.chance.uniform(*SCHEDULING), lambda: self._schedule(run_id))

    def _schedule(self, run_id: str) -> None:
        ready = [each for each in self.nodes if self._is_ready(each)]
        if run_id not in self.jobs:
            return
        if not ready:  # an autoscaler adds a node
            self.nodes.append(Node(f"node-{len(self.nodes) + 1}"))
            self.loop.after(1.0, lambda: self._schedule(run_id))
            return
        pod = Pod(run_id, self.loop.chance.choice(ready))
        self.jobs[run_id] = pod
        self.loop.note("Kubernetes", f"chooses {pod.node.name} for the pod of {run_id}")
        self._take(pod)

    def _is_ready(self, node: Node) -> bool:
        """Whether Kubernetes chooses a node. For some time after a loss, it takes the node for one that is there."""
        is_known_as_lost = node.lost_at is not None and self.loop.now >= node.lost_at + NODE_TIMEOUT
        return not is_known_as_lost and node.cordoned_until <= self.loop.now

    def _take(self, pod: Pod) -> None:
        """The node takes the pod as soon as it can be reached, and says so a little later."""
        if pod.node.lost_at is not None:
            pod.ended_at, pod.known_from = self.loop.now, pod.node.lost_at + NODE_TIMEOUT
        elif self._is_there(pod, self._take):
            self.loop.after(self.loop.chance.uniform(*REPORTING), lambda: setattr(pod, "is_taken", True))
            self.loop.after(self.loop.chance.uniform(*STARTING), lambda: self._begin(pod))

    def _begin(self, pod: Pod) -> None:
        if self._is_there(pod, self._begin):
            self.loop.note(pod.node.name, f"starts the pod of {pod.run_id}")
            self._start(pod)

    def _is_there(self, pod: Pod, later: Callable[[Pod], None]) -> bool:
        """Whether a pod is wanted and its node can be reached. If the node can not, it is looked at again later."""
        if self.jobs.get(pod.run_id) is not pod or pod.ended_at is not None:
            return False
        if (wait := pod.node.away_until - self.loop.now) > 0:
            pod.was_disturbed = True
            self.loop.after(wait, lambda: later(pod))
        return wait <= 0

    def _find_state(self, run_id: str) -> JobState:
        if run_id not in self.jobs:
            return JobState.GONE
        pod = self.jobs[run_id]
        return JobState.ENDED if pod and self._is_known_to_have_ended(pod) else JobState.ACTIVE

    def _is_known_to_have_ended(self, pod: Pod) -> bool:
        return pod.ended_at is not None and self.loop.now >= max(pod.known_from, pod.node.away_until)

    def _delete(self, run_id: str) -> None:
        if pod := self.jobs.pop(run_id, None):
            self._end_when_reached(pod)

    def _end_when_reached(self, pod: Pod) -> None:
        """The node hears of a deletion when it is reached again."""
        wait = max(DELETION, pod.node.away_until - self.loop.now + DELETION)

        def end() -> None:
            if pod.node.away_until > self.loop.now:
                self._end_when_reached(pod)
            else:
                end_pod(pod, self.loop)

        self.loop.after(wait, end)


def end_pod(pod: Pod, loop: Loop, known_after: float = 0.3) -> None:
    """Ends all processes of a pod; the API server knows it so many seconds later."""
    if pod.ended_at is None:
        pod.ended_at, pod.known_from = loop.now, loop.now + known_after
    for process in pod.processes:
        process.end()
