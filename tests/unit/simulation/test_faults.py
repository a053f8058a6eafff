"""A fault that strikes harder than it says makes a right verdict look wrong."""

from itertools import pairwise

from simulation.faults import BUSY, Striker
from simulation.loop import Process
from simulation.models.kubernetes import Cluster, Pod
from simulation.world import make_world


def test_a_node_that_is_busy_again_and_again_has_time_to_renew_its_leases_between() -> None:
    world = make_world(1, frozenset())
    world.cluster = Cluster(world.loop, 1, lambda _: None)
    node = world.cluster.nodes[0]
    node.processes.append(holder := Process(world.loop, "holder"))
    world.cluster.jobs["A"] = Pod("A", node)
    striker, worked = Striker(world, []), list[float]()

    def renew() -> None:
        while True:
            worked.append(world.loop.now)
            world.loop.sleep(1)

    holder.start(renew)
    for tenths in range(200):
        world.loop.after(tenths / 10, striker.busy_node)
    world.loop.run(30)
    holder.end()
    silences = [later - earlier for earlier, later in pairwise(worked)]
    assert sum(silence > BUSY[0] for silence in silences) > 1, "it was busy more than once"
    assert max(silences) <= BUSY[1] + 1
