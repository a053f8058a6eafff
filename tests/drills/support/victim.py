"""Which node of the control plane a drill takes away: never that of PostgreSQL, whose loss is a drill of its own."""

import time
from typing import Any

from tests.drills.support.cluster import RELEASE, component, kubectl, pods
from tests.drills.support.platform import Platform

LEADER = "SELECT holder FROM leases WHERE name = 'daemon' AND deadline > clock_timestamp()"


def node_of(pod: dict[str, Any]) -> str:
    return pod["spec"]["nodeName"]


def victim(platform: Platform, part: str) -> str:
    """A node with a pod of this part, of the daemon that leads, and without PostgreSQL."""
    (database,) = pods(component("postgresql"))

    def chosen() -> str | None:
        leader = platform.sql(LEADER, "dagster")
        for pod in pods(component(part)):
            if node_of(pod) != node_of(database) and (part != "daemon" or pod["metadata"]["name"] == leader):
                return node_of(pod)
        # All are where PostgreSQL is, since a node was lost before: one is made anew, on another node.
        crowded = [pod["metadata"]["name"] for pod in pods(component(part))]
        kubectl("delete", "pod", leader if part == "daemon" and leader in crowded else crowded[0])
        kubectl("rollout", "status", f"deployment/{RELEASE}-{part}", "--timeout=180s")
        time.sleep(15)  # another leads
        return None

    return platform.until(f"a node with a {part} and without PostgreSQL", chosen, 180)
