"""Chooses the node of the control plane that a drill takes away.

Does not belong here: the node of PostgreSQL, whose loss is a drill of its own.
"""

import time
from typing import Any

from tests.drills.support.cluster import RELEASE, kubectl, list_pods, make_selector
from tests.drills.support.platform import Platform

LEADER = "SELECT holder FROM leases WHERE name = 'daemon' AND deadline > clock_timestamp()"


def read_node(pod: dict[str, Any]) -> str:
    """The name of the node of a pod."""
    return pod["spec"]["nodeName"]


def choose_victim(platform: Platform, part: str) -> str:
    """Chooses a node that has a pod of this part and not PostgreSQL. For the daemon, it is the node of the leader."""
    (database,) = list_pods(make_selector("postgresql"))

    def find_node() -> str | None:
        leader = platform.run_sql(LEADER, "dagster")
        for pod in list_pods(make_selector(part)):
            if read_node(pod) != read_node(database) and (part != "daemon" or pod["metadata"]["name"] == leader):
                return read_node(pod)
        # All pods are on the node of PostgreSQL, because a drill before has taken a node away. One pod is moved.
        names = [pod["metadata"]["name"] for pod in list_pods(make_selector(part))]
        kubectl("delete", "pod", leader if part == "daemon" and leader in names else names[0])
        kubectl("rollout", "status", f"deployment/{RELEASE}-{part}", "--timeout=180s")
        time.sleep(15)  # until another daemon leads
        return None

    return platform.wait_until(f"a node with a {part} and without PostgreSQL", find_node, 180)
