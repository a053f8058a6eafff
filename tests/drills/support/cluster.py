"""The cluster that KUBECONFIG names: what kubectl and helm take from it, and give back whatever the drill finds."""

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
# The label of the nodes that runs are bound to.
SPOT = os.environ.get("SPOT", "capacity=spot")


def kubectl(*arguments: str) -> str:
    command = ["kubectl", "--namespace", NAMESPACE, *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert not done.returncode, f"{shlex.join(command)}: {done.stderr or done.stdout}"
    return done.stdout


def helm(*arguments: str) -> None:
    """Changes the release, and waits until it is what was asked for."""
    command = ["helm", *arguments, "--namespace", NAMESPACE, "--wait", "--timeout", "5m"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert not done.returncode, f"{shlex.join(command)}: {done.stderr}"


def pods(selector: str) -> list[dict[str, Any]]:
    """Pods of the release's namespace, by labels."""
    return json.loads(kubectl("get", "pods", "-l", selector, "-o", "json"))["items"]


def component(name: str) -> str:
    """The labels of one component of the release."""
    return f"app.kubernetes.io/instance={RELEASE},app.kubernetes.io/component={name}"


@contextmanager
def absent(kind: str, name: str) -> Iterator[None]:
    """A component has no pod while this lasts, and all of them, ready, after it."""
    workload = f"{kind}/{RELEASE}-{name}"
    replicas = kubectl("get", workload, "-o", "jsonpath={.spec.replicas}")
    kubectl("scale", workload, "--replicas=0")
    try:
        kubectl("wait", "--for=delete", "pod", "-l", component(name), "--timeout=120s")
        yield
    finally:
        kubectl("scale", workload, f"--replicas={replicas}")
        kubectl("rollout", "status", workload, "--timeout=180s")


@contextmanager
def upgraded(*flags: str) -> Iterator[None]:
    """The release is as it was but for these words of `helm upgrade` while this lasts, and rolled back after it."""
    helm("upgrade", RELEASE, CHART, "--reset-then-reuse-values", *flags)
    try:
        yield
    finally:
        helm("rollback", RELEASE)


@contextmanager
def cordoned(*which: str) -> Iterator[None]:
    """No new pod gets onto these nodes, by name or as `-l` and a label, while this lasts."""
    kubectl("cordon", *which)
    try:
        yield
    finally:
        kubectl("uncordon", *which)
