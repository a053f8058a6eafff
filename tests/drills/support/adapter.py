"""What kubectl can't take from a cluster, taken by commands of the environment, and what else only that can say.

In them {node} stands for a node's name, {ip} for the address of a pod on it and {api} for the API server's, as pods
reach it. Where there is a default, it is kind's (docs/kubernetes/drills.md).
"""

import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.drills.support.cluster import kubectl

# Connections that are open lose their translation, and so break; new ones are sent to a port where nobody listens.
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
    "CLOCK_LIBRARY": "",
}


class SettingMissing(Exception):
    """A drill needs something that only you can know."""


def setting(name: str) -> str:
    """What the environment says, or kind's own.

    Raises:
        SettingMissing: it is not set, and there is none that fits most clusters.
    """
    if text := os.environ.get(name) or SETTINGS[name]:
        return text
    raise SettingMissing(f"{name} is not set; docs/kubernetes/drills.md says what is expected")


def command(name: str, **about: str) -> list[str]:
    """The words of a command of the environment. Raises SettingMissing as `setting` does."""
    return shlex.split(setting(name).format(**about))


def call(name: str, **about: str) -> None:
    words = command(name, **about)
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert not done.returncode, f"{name}={shlex.join(words)}: {done.stderr or done.stdout}"


class Nodes:
    """How nodes are lost and come back."""

    def kill(self, node: str) -> None:
        """Power loss: no notice, no signal."""
        call("NODE_KILL", node=node)

    def reclaim(self, node: str) -> subprocess.Popen[bytes]:
        """Begins to take it away with notice, as spot clouds do, and does not wait for the end."""
        return subprocess.Popen(command("NODE_RECLAIM", node=node), stdout=subprocess.DEVNULL)

    @contextmanager
    def struck(self, node: str, cause: str, cure: str) -> Iterator[None]:
        """A node that lives on is out of reach while this lasts, by two commands of the environment."""
        command(cure, node=node)
        call(cause, node=node)
        try:
            yield
        finally:
            call(cure, node=node)
            kubectl("wait", "--for=condition=Ready", f"node/{node}", "--timeout=180s")

    def start(self, node: str) -> None:
        """Boots a lost node again, and waits until it is ready."""
        call("NODE_START", node=node)
        subprocess.run(["kubectl", "uncordon", node], check=False, capture_output=True)
        kubectl("wait", "--for=condition=Ready", f"node/{node}", "--timeout=180s")


@contextmanager
def stopped(what: str, *places: dict[str, str]) -> Iterator[None]:
    """What STORE_STOP or API_STOP takes away is away while this lasts, in each of the places that it names."""
    with ExitStack() as stack:
        for about in places or ({},):
            command(f"{what}_START", **about)
            call(f"{what}_STOP", **about)
            stack.callback(call, f"{what}_START", **about)
        yield
