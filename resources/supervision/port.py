"""The port of a holder. Who can reach it knows that the holder's machine has power and a network.

The kernel accepts a connection, so a holder that waits for a processor, or for PostgreSQL, can be reached too.

Belongs here: the holder's side. Does not belong here: who calls, and what it means that nobody answers
(resources/launching/reach.py).
"""

import logging
import socket

log = logging.getLogger(__name__)
PORT = 9465
# Callers that the kernel accepts before the holder has looked; it looks every second.
LONGEST_QUEUE = 128


def open_port(port: int = PORT) -> socket.socket | None:
    """Opens the port on all addresses of this machine; None if that is not possible.

    A holder without a port is a holder: its loss is only noticed later.
    """
    dual = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual else socket.AF_INET
    try:
        listener = socket.create_server(("", port), family=family, backlog=LONGEST_QUEUE, dualstack_ipv6=dual)
    except OSError as error:
        log.warning("port %d of this holder can't be opened: %s", port, error)
        return None
    listener.setblocking(False)
    return listener


def close_calls(listener: socket.socket) -> None:
    """Closes the connections of those who called since the last time, so that the kernel accepts others."""
    while True:
        try:
            listener.accept()[0].close()
        except OSError:  # nobody else has called, or the caller has gone
            return
