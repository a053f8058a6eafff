"""Where an attempt at a run goes: not to the node that its parent was lost on, and the last ones to nodes that stay.

All of it is a preference: an attempt on a bad node is better than one that waits for a good one.
"""

from collections.abc import Mapping
from typing import Any


def placed(pod_spec: Mapping[str, Any], attempt: int, spot_attempts: int, lost_on: str | None) -> dict[str, Any]:
    """The pod's spec for an attempt.

    Args:
        pod_spec: as the launcher's config has it, in snake case; its node selector is what tells spot nodes apart.
        attempt: 0 is the run that was asked for.
        spot_attempts: from this one on, a node that stays is looked for.
        lost_on: the node of the attempt before.
    """
    spec = dict(pod_spec)
    unwanted = {"kubernetes.io/hostname": lost_on} if lost_on else {}
    if attempt >= spot_attempts:
        unwanted |= spec.pop("node_selector", {})
    if unwanted:
        spec["affinity"] = {
            "node_affinity": {
                "preferred_during_scheduling_ignored_during_execution": [
                    {
                        "weight": 100,
                        "preference": {"match_expressions": [{"key": key, "operator": "NotIn", "values": [value]}]},
                    }
                    for key, value in unwanted.items()
                ]
            }
        }
    return spec
