"""Where an attempt at a run goes, and what its pod is told about it.

An attempt avoids the node on which the attempt before it was lost, and nodes on which other runs were lost a moment
ago. The last attempts avoid spot nodes. All are preferences, because an attempt on a bad node is better than one that
waits for a good node.
"""

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any

from resources.deployment import Deployment


def place_attempt(
    pod_spec: Mapping[str, Any], attempt: int, spot_attempts: int, avoided_nodes: Collection[str]
) -> dict[str, Any]:
    """Returns the pod's spec for an attempt.

    Args:
        pod_spec: the launcher's `pod_spec_config`, in snake case. Its node selector is what tells spot nodes apart.
        attempt: 0 for a run that is no retry.
        spot_attempts: attempts from this number on avoid spot nodes.
        avoided_nodes: the names of nodes that any other node is better than.
    """
    spec = dict(pod_spec)
    avoided = {"kubernetes.io/hostname": sorted(avoided_nodes)} if avoided_nodes else {}
    if attempt >= spot_attempts:
        avoided |= {key: [value] for key, value in spec.pop("node_selector", {}).items()}
    if avoided:
        spec["affinity"] = {
            "node_affinity": {
                "preferred_during_scheduling_ignored_during_execution": [
                    {
                        "weight": 100,
                        "preference": {"match_expressions": [{"key": key, "operator": "NotIn", "values": values}]},
                    }
                    for key, values in avoided.items()
                ]
            }
        }
    return spec


def describe_attempt(pod_spec: Mapping[str, Any], attempt: int) -> list[dict[str, Any]]:
    """Returns the environment variables that tell the pod of an attempt its number, its node and its capacity.

    Each has its old name too: a run that was queued before an upgrade starts with the image of the release before.

    Args:
        pod_spec: what `place_attempt` returned.
        attempt: 0 for a run that is no retry.
    """
    capacity = "spot" if "node_selector" in pod_spec else "any"
    values = {
        "attempt": {"value": str(attempt)},
        "capacity": {"value": capacity},
        "node": {"value_from": {"field_ref": {"field_path": "spec.nodeName"}}},
    }
    rows = [each for each in fields(Deployment) if each.name in values]
    names = [(row.name, name) for row in rows for name in (row.metadata["name"], row.metadata["old"]) if name]
    return [{"name": name, **values[field]} for field, name in names]
