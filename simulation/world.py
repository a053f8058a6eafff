"""A world: everything that one history needs, made from one seed."""

from dataclasses import dataclass, field

from simulation.guards import Guard
from simulation.invariants import Watcher
from simulation.loop import Loop
from simulation.models.kubernetes import Cluster
from simulation.models.network import Service
from simulation.models.object_store import Bucket, ModelStore
from simulation.models.postgres import Postgres


class CodeServerAway(Exception):
    """The code server, or the webserver, does not answer."""


@dataclass
class World:
    """The parts of a world, which all its programs share.

    Attributes:
        off: the guards that it lacks.
        wrong_verdicts: workers that were given up although no fault had struck them.
        troubled_until: until when a fault lasts, or one may begin.
        ids: how many runs were created.
    """

    loop: Loop
    off: frozenset[Guard]
    watcher: Watcher
    postgres: Postgres
    bucket: Bucket
    code_server: Service
    store: ModelStore
    cluster: Cluster = field(init=False)
    wrong_verdicts: int = 0
    troubled_until: float = 0.0
    ids: int = 0

    def name_run(self, root: str | None = None) -> str:
        """A new id: `A`, `B` … for what is asked for, and `A1`, `A2` … for its retries."""
        if root is None:
            self.ids += 1
            return chr(ord("A") + self.ids - 1)
        return f"{root}{len(self.postgres.group(root))}"


def make_world(seed: int, off: frozenset[Guard]) -> World:
    """An empty world."""
    loop = Loop(seed)
    watcher = Watcher(loop)
    bucket = Bucket(loop, off, watcher)
    return World(
        loop,
        off,
        watcher,
        Postgres(loop, off, watcher),
        bucket,
        Service(loop, "the code server", CodeServerAway),
        ModelStore("sim://store", None, bucket=bucket),
    )
