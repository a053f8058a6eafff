"""The cluster that KUBECONFIG names: faults that kubectl and helm cause, and cure even if the drill fails.

Belongs here: commands of kubectl and helm. Does not belong here: commands for one kind of cluster (`adapter`).
"""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMESPACE, RELEASE = os.environ.get("NAMESPACE", "credit"), os.environ.get("RELEASE", "platform")
CHART = str(Path(__file__).parents[3] / "helm" / "credit-platform")
# Uses every core of a machine, with four processes for each.
KEEP_BUSY = """import os, time
for _ in range(4 * os.cpu_count()):
    if not os.fork():
        while True:
            pass
time.sleep(3600)"""
# The label of the nodes that runs are bound to.
SPOT = os.environ.get("SPOT", "capacity=spot")


def kubectl(*arguments: str) -> str:
    command = ["kubectl", "--namespace", NAMESPACE, *arguments]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    assert not result.returncode, f"{shlex.join(command)}: {result.stderr or result.stdout}"
    return result.stdout


def helm(*arguments: str) -> None:
    """Changes the release, and waits until the change is complete."""
    command = ["helm", *arguments, "--namespace", NAMESPACE, "--wait", "--timeout", "5m"]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    assert not result.returncode, f"{shlex.join(command)}: {result.stderr}"


def list_pods(selector: str) -> list[dict[str, Any]]:
    """Pods of the release's namespace, by labels."""
    return json.loads(kubectl("get", "pods", "-l", selector, "-o", "json"))["items"]


def make_selector(name: str) -> str:
    """The label selector of one component of the release."""
    return f"app.kubernetes.io/instance={RELEASE},app.kubernetes.io/component={name}"


@contextmanager
def stop_component(kind: str, name: str) -> Iterator[None]:
    """Removes all pods of a component, and brings them back at the end, ready."""
    workload = f"{kind}/{RELEASE}-{name}"
    replicas = kubectl("get", workload, "-o", "jsonpath={.spec.replicas}")
    kubectl("scale", workload, "--replicas=0")
    try:
        kubectl("wait", "--for=delete", "pod", "-l", make_selector(name), "--timeout=120s")
        yield
    finally:
        kubectl("scale", workload, f"--replicas={replicas}")
        kubectl("rollout", "status", workload, "--timeout=180s")


@contextmanager
def upgrade_release(*flags: str) -> Iterator[None]:
    """Upgrades the release with these flags of `helm upgrade`, keeps all other values, and rolls back at the end."""
    helm("upgrade", RELEASE, CHART, "--reset-then-reuse-values", *flags)
    try:
        yield
    finally:
        helm("rollback", RELEASE)


@contextmanager
def cordon(*nodes: str) -> Iterator[None]:
    """Keeps new pods off these nodes, given by name or by `-l` and a label, until the end."""
    kubectl("cordon", *nodes)
    try:
        yield
    finally:
        kubectl("uncordon", *nodes)


@contextmanager
def keep_busy(node: str, image: str) -> Iterator[None]:
    """Uses every core of a node, by a pod of its own, until the end.

    Args:
        node: its name.
        image: with Python, and on the node already.
    """
    container = {
        "name": "busy",
        "image": image,
        "command": ["python", "-c", KEEP_BUSY],
        "resources": {"requests": {"cpu": "1"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    spec = {
        "nodeName": node,
        "tolerations": [{"operator": "Exists"}],
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    kubectl("run", "busy", f"--image={image}", "--restart=Never", f"--overrides={json.dumps({'spec': spec})}")
    try:
        kubectl("wait", "--for=condition=Ready", "pod/busy", "--timeout=60s")
        yield
    finally:
        kubectl("delete", "pod", "busy", "--grace-period=1")
