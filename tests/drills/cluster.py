"""The cluster that KUBECONFIG names: what a drill takes away from it, and that it comes back whatever the drill finds.

Whatever kubectl can take, it takes. The rest is commands of the environment, in which {node} stands for a node's name
and {ip} for a pod's address; where there is a default, it is kind's (docs/kubernetes.md, "Drills").
"""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

NAMESPACE, RELEASE = os.environ.get("NAMESPACE", "credit"), os.environ.get("RELEASE", "platform")
CHART = str(Path(__file__).parents[2] / "helm" / "credit-platform")
# The label of the nodes that runs are bound to.
SPOT = os.environ.get("SPOT", "capacity=spot")
_REJECT = "FORWARD -s {ip} -p tcp --dport 6443 -j REJECT --reject-with tcp-reset"
COMMANDS = {
    "NODE_KILL": "docker kill {node}",
    "NODE_RECLAIM": "kubectl drain {node} --ignore-daemonsets --delete-emptydir-data --force --timeout=30s",
    "NODE_START": "docker start {node}",
    "STORE_STOP": "",
    "STORE_START": "",
    "API_STOP": f"docker exec {{node}} iptables -I {_REJECT}",
    "API_START": f"docker exec {{node}} iptables -D {_REJECT}",
}


class CommandMissing(Exception):
    """A drill needs a command that only you can know."""


def kubectl(*arguments: str) -> str:
    command = ["kubectl", "--namespace", NAMESPACE, *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert not done.returncode, f"{shlex.join(command)}: {done.stderr or done.stdout}"
    return done.stdout


def command(name: str, **about: str) -> list[str]:
    """The words of a command of the environment.

    Raises:
        CommandMissing: it is not set, and there is none that fits most clusters.
    """
    text = os.environ.get(name) or COMMANDS[name]
    if not text:
        raise CommandMissing(f"{name} is not set: expected a command; docs/kubernetes.md says which, under Drills")
    return shlex.split(text.format(**about))


def call(name: str, **about: str) -> None:
    words = command(name, **about)
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert not done.returncode, f"{name}={shlex.join(words)}: {done.stderr or done.stdout}"


def helm(*arguments: str) -> None:
    """Changes the release, and waits until it is what was asked for."""
    command = ["helm", *arguments, "--namespace", NAMESPACE, "--wait", "--timeout", "5m"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert not done.returncode, f"{shlex.join(command)}: {done.stderr}"


class Nodes:
    """How nodes are lost and come back."""

    def kill(self, node: str) -> None:
        """Power loss: no notice, no signal."""
        call("NODE_KILL", node=node)

    def reclaim(self, node: str) -> subprocess.Popen[bytes]:
        """Begins to take it away with notice, as spot clouds do, and does not wait for the end."""
        return subprocess.Popen(command("NODE_RECLAIM", node=node), stdout=subprocess.DEVNULL)

    def start(self, node: str) -> None:
        """Boots a lost node again, and waits until it is ready."""
        call("NODE_START", node=node)
        subprocess.run(["kubectl", "uncordon", node], check=False, capture_output=True)
        kubectl("wait", "--for=condition=Ready", f"node/{node}", "--timeout=180s")


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


@contextmanager
def stopped(what: str, *places: dict[str, str]) -> Iterator[None]:
    """What STORE_STOP or API_STOP takes away is away while this lasts, in each of the places that it names."""
    with ExitStack() as stack:
        for about in places or ({},):
            command(f"{what}_START", **about)
            call(f"{what}_STOP", **about)
            stack.callback(call, f"{what}_START", **about)
        yield
