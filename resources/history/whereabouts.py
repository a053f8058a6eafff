"""Where an attempt runs, as its environment says: the tags by which a run names its node and its capacity."""

import os

import dagster as dg

from resources.history.tags import CAPACITY, NODE

# What the pod of a run is told of its place.
VARIABLES = {NODE: "NODE_NAME", CAPACITY: "NODE_CAPACITY"}


def record_place(instance: dg.DagsterInstance, run_id: str) -> None:
    """Tags a run with the node that it runs on and the capacity that it was bound to, as far as they are known."""
    if told := {tag: os.environ[name] for tag, name in VARIABLES.items() if os.environ.get(name)}:
        instance.add_run_tags(run_id, told)
