"""The faults of a history: what goes wrong, when, and for how long. All of it is drawn from the seed.

Belongs here: which fault, and whom it strikes. Does not belong here: what follows from it (`models`).
"""

from collections.abc import Callable

from simulation.loop import Process
from simulation.models.kubernetes import NODE_TIMEOUT, Node, Pod, end_pod
from simulation.models.network import Service
from simulation.world import World

# Seconds: the last fault begins before this, and the longest lasts so long.
LAST, LONGEST = 24.0, 40.0
# Seconds for which a busy node does nothing: longer than an unreachable holder may be silent, and shorter than a lease.
# Between two such times each lease is renewed. Else they would be longer than a lease together.
BUSY, BUSY_PAUSE = (3.0, 4.5), 3.0
Fault = Callable[["Striker"], None]


class Striker:
    """Strikes a world with one fault at a time.

    Args:
        daemons: the living daemons; the faults of nodes strike those of the pods.
    """

    def __init__(self, world: World, daemons: list[Process]) -> None:
        self.world, self.loop, self.chance, self._daemons = world, world.loop, world.loop.chance, daemons
        self.crashes = 0

    def strike_later(self) -> None:
        """Draws one to four faults, and when each begins."""
        for _ in range(self.chance.choice((1, 2, 2, 3, 4))):
            fault, begin = self.chance.choice(FAULTS), self.chance.uniform(0, LAST)
            self.world.troubled_until = max(self.world.troubled_until, begin)
            self.loop.after(begin, lambda fault=fault: fault(self))

    def lose_node(self) -> None:
        """A node loses its power."""
        if node := self._choose_node():
            self.loop.note(node.name, "▓▓▓ no power ▓▓▓")
            node.lost_at = self.loop.now
            for pod in self._pods(node):
                pod.was_disturbed = True
                end_pod(pod, self.loop, known_after=NODE_TIMEOUT)

    def reclaim_node(self) -> None:
        """A node is taken away some seconds after a notice."""
        if node := self._choose_node():
            self.loop.note(node.name, "has a notice")
            for pod in self._pods(node):
                pod.was_disturbed = True
                pod.notify()
            self.loop.after(10.0, lambda: [end_pod(pod, self.loop, NODE_TIMEOUT) for pod in self._pods(node)])
            node.away_until = max(node.away_until, self.loop.now + 60.0)
            node.cordoned_until = node.away_until

    def freeze_node(self) -> None:
        """A node stands still, and comes back."""
        if node := self._choose_node():
            seconds = self._away(node, "stands still")
            for process in node.processes:
                process.freeze(seconds)

    def busy_node(self) -> None:
        """The processors of a node have no time for its processes. Its kernel answers: no worker may be given up."""
        if (node := self._choose_node()) and self.loop.now >= node.busy_until + BUSY_PAUSE:
            seconds = self.chance.uniform(*BUSY)
            node.busy_until = self.loop.now + seconds
            self.loop.note(node.name, f"is busy for {seconds:.1f} s")
            for process in node.processes:
                process.freeze(seconds)

    def cut_node(self) -> None:
        """A node is cut off, works on, and comes back."""
        if node := self._choose_node():
            self._cut_off(node)

    def delay_deletions(self) -> None:
        """A pod is taken away, and another node is cut off, which the retry may be sent to. Its Job stays for long."""
        self.kill_pod()
        node = self.chance.choice(self.world.cluster.nodes)
        cluster, seconds = self.world.cluster, self._cut_off(node)
        cluster.deletes_from = max(cluster.deletes_from, self.loop.now + seconds + NODE_TIMEOUT)

    def freeze_worker(self) -> None:
        """A worker, or its holder, or both, stand still, and come back."""
        if pod := self._choose_pod():
            seconds, chosen = self._seconds(), self.chance.choice((slice(0, 1), slice(1, 2), slice(0, 2)))
            self.loop.note(pod.node.name, f"stops processes of {pod.run_id} for {seconds:.0f} s")
            pod.was_disturbed = True
            for process in pod.processes[chosen]:
                self._now_or_at_next_write(process, lambda process=process: process.freeze(seconds))

    def crash_worker(self) -> None:
        """A worker ends by itself, or the kernel kills it for its memory. Twice at most: more is left to people."""
        if self.crashes < 2 and (pod := self._choose_pod()) and len(pod.processes) > 1:
            self.crashes += 1
            pod.was_disturbed, pod.out_of_memory = True, self.chance.random() < 0.5
            self.loop.note(pod.node.name, f"the worker of {pod.run_id} crashes")
            if pod.out_of_memory:
                end_pod(pod, self.loop)
            else:
                pod.processes[1].end()

    def kill_pod(self) -> None:
        """A pod is taken away."""
        if pod := self._choose_pod():
            pod.was_disturbed = True
            self.loop.note(pod.node.name, f"the pod of {pod.run_id} is taken away")
            end_pod(pod, self.loop)

    def stall_retries(self) -> None:
        """A pod is taken away, and the code server, which each retry needs, stands still for half a minute."""
        self.kill_pod()
        self._note_disturbance(2 * LONGEST)
        self.world.troubled_until = max(self.world.troubled_until, self.loop.now + LONGEST)
        self._disturb(self.world.code_server, "stalled_until", self.chance.uniform(LONGEST / 2, LONGEST))

    def lose_daemon(self) -> None:
        """A daemon ends."""
        process = self.chance.choice(self._daemons)
        self._note_disturbance(30.0)
        self.loop.note(process.name, "▓▓▓ is killed ▓▓▓")
        process.end()

    def freeze_daemon(self) -> None:
        """A daemon stands still, and comes back."""
        process, seconds = self.chance.choice(self._daemons), self._seconds()
        self._note_disturbance(seconds + 60.0)

        def freeze() -> None:
            self.loop.note(process.name, f"stands still for {seconds:.0f} s")
            process.freeze(seconds)

        self._now_or_at_next_write(process, freeze)

    def cut_daemon(self) -> None:
        """A daemon is cut off."""
        process, seconds = self.chance.choice(self._daemons), self._seconds()
        self._note_disturbance(seconds + 30.0)
        self.loop.note(process.name, f"is cut off for {seconds:.0f} s")
        self._cut(process, seconds)

    def blind_daemon(self) -> None:
        """A daemon reaches neither holders nor the witness, while a node is busy."""
        process, seconds = self.chance.choice(self._daemons), self._seconds()
        self._note_disturbance(seconds + 30.0)
        self.loop.note(process.name, f"reaches no pod for {seconds:.0f} s")
        until = self.loop.now + seconds
        for service in (self.world.cluster.holders, self.world.code_server):
            service.cut[process.name] = until
        self.busy_node()

    def disturb_service(self) -> None:
        """A service is down, or stands still, or breaks connections."""
        service, seconds = self.chance.choice(self._services()), self._seconds()
        self._disturb(service, self.chance.choice(("down_until", "stalled_until", "lossy_until")), seconds)

    def return_to_busy_node(self) -> None:
        """PostgreSQL is down, and a node is busy when it comes back: nobody could renew, and one holder still can't."""
        seconds = self.chance.uniform(8, LONGEST)
        self.world.troubled_until = max(self.world.troubled_until, self.loop.now + seconds)
        self._disturb(self.world.postgres, "down_until", seconds)
        self.loop.after(seconds - 1.0, self.busy_node)

    def _disturb(self, service: Service, kind: str, seconds: float) -> None:
        self._note_disturbance(seconds + 30.0)
        self.loop.note(service.name, f"{kind.removesuffix('_until')} for {seconds:.0f} s")
        setattr(service, kind, max(getattr(service, kind), self.loop.now + seconds))

    def _services(self) -> tuple[Service, ...]:
        return self.world.postgres, self.world.bucket, self.world.cluster.api, self.world.code_server

    def _seconds(self) -> float:
        seconds = self.chance.uniform(0, 8) if self.chance.random() < 0.4 else self.chance.uniform(8, LONGEST)
        self.world.troubled_until = max(self.world.troubled_until, self.loop.now + seconds)
        return seconds

    def _note_disturbance(self, seconds: float) -> None:
        watcher = self.world.watcher
        watcher.disturbed_until = max(watcher.disturbed_until, self.loop.now + seconds)

    def _now_or_at_next_write(self, process: Process, fault: Callable[[], None]) -> None:
        if self.chance.random() < 0.5:
            process.trap = fault
        else:
            fault()

    def _away(self, node: Node, what: str) -> float:
        seconds = self._seconds()
        self.loop.note(node.name, f"{what} for {seconds:.0f} s")
        node.away_until = max(node.away_until, self.loop.now + seconds)
        for pod in self._pods(node):
            pod.was_disturbed = True
        return seconds

    def _cut_off(self, node: Node) -> float:
        seconds = self._away(node, "is cut off")
        for process in node.processes:
            self._cut(process, seconds)
        return seconds

    def _cut(self, process: Process, seconds: float) -> None:
        for service in (*self._services(), self.world.cluster.holders):
            service.cut[process.name] = self.loop.now + seconds

    def _pods(self, node: Node | None = None) -> list[Pod]:
        pods = [pod for pod in self.world.cluster.jobs.values() if pod and pod.ended_at is None]
        return [pod for pod in pods if node is None or pod.node is node]

    def _choose_pod(self) -> Pod | None:
        return self.chance.choice(pods) if (pods := self._pods()) else None

    def _choose_node(self) -> Node | None:
        return pod.node if (pod := self._choose_pod()) else None


FAULTS: tuple[Fault, ...] = (
    Striker.lose_node,
    Striker.reclaim_node,
    Striker.freeze_node,
    Striker.busy_node,
    Striker.cut_node,
    Striker.freeze_worker,
    Striker.crash_worker,
    Striker.kill_pod,
    Striker.stall_retries,
    Striker.delay_deletions,
    Striker.lose_daemon,
    Striker.freeze_daemon,
    Striker.cut_daemon,
    Striker.blind_daemon,
    Striker.return_to_busy_node,
    Striker.disturb_service,
    Striker.disturb_service,  # twice, because there are four services
)
