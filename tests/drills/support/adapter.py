"""Faults that kubectl can't cause. They are commands, and each depends on the kind of cluster.

The environment sets a command; a default is for kind (docs/kubernetes/drills.md). In a command, {node} stands for the
name of a node, {ip} for the address of a pod on it, {container} for the id of a container on it, and {api} for the
address where pods reach the API server.

Belongs here: commands for nodes, store and API server. Does not belong here: what kubectl can do (`cluster`).
"""

import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.drills.support.cluster import kubectl

# Open connections lose their address translation and break. New ones go to a port where no program listens.
_REFUSE = """docker exec {{node}} sh -c '
iptables -t nat -{} PREROUTING -s {{ip}} -d {{api}} -p tcp --dport 443 {} -j REDIRECT --to-ports 9
conntrack -D -s {{ip}} -d {{api}} -p tcp || true'"""
_EVERY_SECOND = "-m statistic --mode nth --every 2 --packet 0"
SETTINGS = {
    "NODE_KILL": "docker kill {node}",
    "NODE_RECLAIM": "kubectl drain {node} --ignore-daemonsets --delete-emptydir-data --force --timeout=30s",
    "NODE_START": "docker start {node}",
    "NODE_CUT": "docker network disconnect kind {node}",
    "NODE_CUT_FROM_API": "docker exec {node} iptables -I OUTPUT -p tcp --dport 6443 -j DROP",
    "NODE_HEAL": """sh -c '
docker network connect kind {node}; docker exec {node} iptables -D OUTPUT -p tcp --dport 6443 -j DROP || true'""",
    "NODE_FREEZE": "docker pause {node}",
    "NODE_THAW": "docker unpause {node}",
    "STORE_STOP": "",
    "STORE_START": "",
    "API_STOP": _REFUSE.format("I", ""),
    "API_START": _REFUSE.format("D", ""),
    "API_HALF_STOP": _REFUSE.format("I", _EVERY_SECOND),
    "API_HALF_START": _REFUSE.format("D", _EVERY_SECOND),
    "CONTAINER_STOP": "docker exec {node} ctr --namespace k8s.io tasks pause {container}",
    "CONTAINER_START": "docker exec {node} ctr --namespace k8s.io tasks resume {container}",
    "CLOCK_LIBRARY": "",
}


class SettingMissing(Exception):
    """A drill needs a setting that has no default."""


def read_setting(name: str) -> str:
    """The value of a setting: that of the environment, or the default for kind.

    Raises:
        SettingMissing: it is not set, and has no default.
    """
    if text := os.environ.get(name) or SETTINGS[name]:
        return text
    raise SettingMissing(f"{name} is not set; docs/kubernetes/drills.md says what is expected")


def read_command(name: str, **fields: str) -> list[str]:
    """The words of a command, with these fields filled in. Raises SettingMissing like `read_setting`."""
    return shlex.split(read_setting(name).format(**fields))


def run_command(name: str, **fields: str) -> None:
    words = read_command(name, **fields)
    result = subprocess.run(words, check=False, capture_output=True, text=True)
    assert not result.returncode, f"{name}={shlex.join(words)}: {result.stderr or result.stdout}"


class Nodes:
    """Takes nodes of the cluster away, and brings them back."""

    def kill(self, node: str) -> None:
        """Cuts the power of a node: it ends without a notice and without a signal."""
        run_command("NODE_KILL", node=node)

    def reclaim(self, node: str) -> subprocess.Popen[bytes]:
        """Starts to take a node away with notice, like a cloud takes a spot node, and does not wait for the end."""
        return subprocess.Popen(read_command("NODE_RECLAIM", node=node), stdout=subprocess.DEVNULL)

    @contextmanager
    def strike(self, node: str, cause: str, cure: str) -> Iterator[None]:
        """Causes a fault on a node that stays alive, and cures it at the end, by two commands of the environment."""
        read_command(cure, node=node)  # raises before the fault if the cure is not set
        run_command(cause, node=node)
        try:
            yield
        finally:
            run_command(cure, node=node)
            kubectl("wait", "--for=condition=Ready", f"node/{node}", "--timeout=180s")

    def start(self, node: str) -> None:
        """Starts a lost node again, and waits until it is ready."""
        run_command("NODE_START", node=node)
        subprocess.run(["kubectl", "uncordon", node], check=False, capture_output=True)
        kubectl("wait", "--for=condition=Ready", f"node/{node}", "--timeout=180s")


@contextmanager
def stop_service(service: str, *places: dict[str, str]) -> Iterator[None]:
    """Stops a service by its command, such as STORE_STOP, and starts it again at the end.

    Args:
        service: `STORE`, `API`, `API_HALF` or `CONTAINER`.
        places: the fields of the command, once for each place where the service is stopped; none to stop it once.
    """
    with ExitStack() as stack:
        for fields in places or ({},):
            read_command(f"{service}_START", **fields)  # raises before the fault if the cure is not set
            run_command(f"{service}_STOP", **fields)
            stack.callback(run_command, f"{service}_START", **fields)
        yield
