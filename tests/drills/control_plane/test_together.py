"""Drill 19. Both replicas of a part are on one node, because no other was free, and the other node is back.

Kubernetes leaves them together, and the next loss of that node would take both. The command of decision 0016 separates
them: afterwards each part is on two nodes, and a run that trains meanwhile is not touched.
"""

import json
import re
import shlex

import pytest

from tests.drills.support.claims import assert_unharmed
from tests.drills.support.cluster import RELEASE, cordon, kubectl, list_pods, make_selector
from tests.drills.support.pages import SEPARATE_REPLICAS

PARTS = ("webserver", "daemon", "code-server")


def list_nodes(part: str) -> list[str]:
    """The nodes of the living pods of a part, one entry for each pod."""
    living = [pod for pod in list_pods(make_selector(part)) if "deletionTimestamp" not in pod["metadata"]]
    return sorted(pod["spec"]["nodeName"] for pod in living)


def wait_for_rollout(part: str) -> None:
    """Waits until all pods of a part are ready."""
    kubectl("rollout", "status", f"deployment/{RELEASE}-{part}", "--timeout=180s")


def read_restart_command(platform) -> list[str]:
    """The words after `kubectl` in the command of the decision, for this release."""
    (line,) = re.findall(r"^kubectl --namespace credit (.*)$", SEPARATE_REPLICAS.read(), re.MULTILINE)
    return shlex.split(line.replace("instance=platform", f"instance={platform.release}"))


@pytest.fixture
def together(platform) -> str:
    """The node that has both pods of each part. All nodes are free again."""
    node = list_nodes("code-server")[0]
    names = [each["metadata"]["name"] for each in json.loads(kubectl("get", "nodes", "-o", "json"))["items"]]
    with cordon(*(name for name in names if name != node)):
        for part in PARTS:
            for pod in list_pods(make_selector(part)):
                if pod["spec"]["nodeName"] != node:
                    kubectl("delete", "pod", pod["metadata"]["name"])
            wait_for_rollout(part)
    platform.webserver.wait_for_location(120)
    return node


def test_replicas_that_are_together_on_one_node_are_separated_by_one_command(
    platform, expected_digests, together
) -> None:
    for part in PARTS:
        assert list_nodes(part) == [together, together], f"{part}: Kubernetes has moved a pod by itself"
    run, _ = platform.train_for()
    kubectl(*read_restart_command(platform))
    for part in PARTS:
        wait_for_rollout(part)
    for part in PARTS:
        assert len(set(list_nodes(part))) == 2, f"{part}: both pods are on one node"
    assert_unharmed(platform, expected_digests, "replicas separated while a run is under way", run)
