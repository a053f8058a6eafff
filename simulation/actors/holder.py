"""The first process of a run's pod: it holds the lease with the platform's `hold`, and ends its worker without one."""

import psycopg2

from resources.history.tags import NUMBER
from resources.supervision.lease import Lease
from resources.supervision.lease_table import HOLDER_TIME_LIMIT, name_run_lease
from resources.supervision.worker import draw_delay, hold
from simulation.actors.worker import Worker
from simulation.loop import Process
from simulation.models.kubernetes import Pod, end_pod
from simulation.models.lease_statements import ModelConnection
from simulation.world import World

LEASE_SECONDS, PAUSE = 8.0, 1.0


def start_pod(world: World, pod: Pod) -> None:
    """Starts the holder of a pod, which starts the worker once it has the lease."""
    name = f"{pod.run_id}@{pod.node.name}"
    holder = Process(world.loop, f"{name} holder", lambda: world.loop.after(0, lambda: end_pod(pod, world.loop)))
    pod.processes.append(holder)
    pod.node.processes.append(holder)
    holder.start(lambda: Holder(world, pod, holder, name).live())


class Holder:
    """A holder: what `resources.supervision.worker.supervise` does, without signals."""

    def __init__(self, world: World, pod: Pod, process: Process, name: str) -> None:
        self._world, self._pod, self._process, self._name = world, pod, process, name
        self._lease = Lease("", name_run_lease(pod.run_id), name, LEASE_SECONDS)
        self._lease.connection = ModelConnection(world.postgres.ask, world.postgres.leases, HOLDER_TIME_LIMIT)  # pyright: ignore[reportAttributeAccessIssue]

    def live(self) -> None:
        """Takes the lease, starts the worker, and renews until one of the two is gone."""
        loop, lease = self._world.loop, self._lease
        attempt = int(self._world.postgres.runs[self._pod.run_id].tags.get(NUMBER, "0"))
        loop.sleep(loop.chance.uniform(0.5, 1.5) + draw_delay(attempt, loop.chance.uniform))
        due = loop.now + PAUSE
        while hold(lease):
            if lease.fence:
                break
            loop.sleep(due - loop.now)
            due = loop.now + PAUSE
        else:
            return
        worker = Process(loop, f"{self._name} worker")
        self._pod.processes.append(worker)
        self._pod.node.processes.append(worker)
        working = Worker(self._world, self._pod.run_id, self._name)
        working.thread = worker.start(working.live)
        self._pod.notify = working.notify
        while not worker.is_dead:
            loop.sleep(due - loop.now)
            due = loop.now + PAUSE
            if not worker.is_dead and not hold(lease, renew=loop.now >= worker.frozen_until):
                loop.note(self._process.name, "its lease is gone: it ends the worker")
                worker.end()
        if not working.is_asked_to_end:
            try:
                lease.end()
            except psycopg2.Error:
                return  # the lease ends by itself
