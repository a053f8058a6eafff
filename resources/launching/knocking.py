"""Calls over the network: whether somebody accepts a connection at an address.

Belongs here: sockets, names and time limits. Does not belong here: what an answer is worth
(resources/launching/reach.py).
"""

import socket

from resources.launching.kubernetes_jobs import start
from resources.launching.reach import Reach
from resources.supervision.port import PORT

# Seconds that one witness may take to answer. They are called one after the other.
WITNESS_TIME_LIMIT = 0.4


def knock(host: str, seconds: float, port: int = PORT) -> bool:
    """Whether a connection to an address is accepted within so many seconds.

    A frozen process is answered for by its kernel. A machine without power, and one that is cut off, does not answer.
    """
    try:
        socket.create_connection((host, port), timeout=seconds).close()
    except OSError:
        return False
    return True


class Witness:
    """Programs that must answer when a holder does not, such as the code servers.

    All of them must answer, because one may be on the watcher's own machine, where it answers without a network.

    Args:
        host: their name.
        port: on which they listen.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._known = list[str]()

    def answers(self) -> bool:
        """Whether they answer. Their name is looked up only if they do not: a lost node may be that of the DNS."""
        if self._all_answer():
            return True
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except OSError:
            return False
        self._known = [str(address[0]) for *_, address in found]
        return self._all_answer()

    def _all_answer(self) -> bool:
        return bool(self._known) and all(knock(host, WITNESS_TIME_LIMIT, self._port) for host in self._known)


def call_holders(witness: str) -> Reach | None:
    """What calls holders over the network.

    Args:
        witness: host and port, with a colon between them; empty: nobody is called.
    """
    if not witness:
        return None
    host, _, port = witness.rpartition(":")
    return Reach(knock, Witness(host, int(port)).answers, start)
