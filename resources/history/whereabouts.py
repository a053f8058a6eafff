"""Where an attempt runs: the image, the node and the capacity of its pod.

Belongs here: the value, and the tags by which a run names its node and its capacity. Does not belong here: which
variables name them (`resources.deployment`).
"""

from dataclasses import dataclass

import dagster as dg

from resources.history.tags import CAPACITY, NODE


@dataclass(frozen=True)
class Whereabouts:
    """Where this process runs. What is not known is None.

    Args:
        image: of the pod, by digest.
        node: of the pod.
        capacity: that the pod is bound to: `spot` or `any`.
    """

    image: str | None = None
    node: str | None = None
    capacity: str | None = None

    def to_manifest(self) -> dict[str, str]:
        """What an artifact records of it."""
        return {name: value for name in ("image", "node") if (value := getattr(self, name))}

    def tag_run(self, instance: dg.DagsterInstance, run_id: str) -> None:
        """Tags a run with the node that it runs on and the capacity that it is bound to, as far as they are known."""
        if tags := {tag: value for tag, value in {NODE: self.node, CAPACITY: self.capacity}.items() if value}:
            instance.add_run_tags(run_id, tags)


UNKNOWN = Whereabouts()
