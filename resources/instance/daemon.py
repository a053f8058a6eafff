"""Dagster's daemon, of which one leads and the others stand by (`python -m resources.instance.daemon run …`).

Two daemons that both act would launch things twice (dagster issue 33962), and one alone that is lost with its node is
missed until Kubernetes has given the node up. Which one leads is a lease in PostgreSQL
(resources/supervision/lease.py); the others wait, with nothing of Dagster imported
(docs/decisions/0010-one-daemon-leads.md).
"""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from resources.deployment import Deployment
from resources.instance.metrics_server import collect, serve
from resources.machine.console_script import load
from resources.supervision.leader import lead
from resources.supervision.lease import Lease

if TYPE_CHECKING:
    from prometheus_client import Gauge

log = logging.getLogger(__name__)
NAME = "daemon"


def main() -> None:
    """Waits for the lease, then becomes `dagster-daemon` with this command's arguments.

    libpq's variables (PGHOST, PGPASSWORD, …) say in which database the lease is. The deployment says how long it lasts,
    after which silence a part of the daemon counts as hung, and on which port the metrics are served
    (resources/instance/metrics_server.py).
    """
    ours = logging.getLogger("resources")  # and not the root: Dagster adds its own handlers to its loggers
    ours.setLevel(logging.INFO)
    ours.addHandler(logging.StreamHandler())
    deployment = Deployment.from_environment()
    leads = serve(deployment.metrics_port)

    lease = Lease("", NAME, socket.gethostname(), deployment.daemon_lease_seconds)
    lead(lease, lambda: run_daemon(deployment.heartbeat_seconds, leads))


def run_daemon(heartbeat_seconds: float, leads: "Gauge | None" = None) -> None:
    """Runs Dagster's own command in this process, so that it ends with the lease.

    Args:
        heartbeat_seconds: the silence after which a part of the daemon counts as hung.
        leads: set to 1 while it does, if there are metrics.
    """
    run = load("dagster-daemon", *sys.argv[1:])  # before the threads, which import parts of the same
    threading.Thread(target=end_when_hung, args=(heartbeat_seconds,), name="heartbeats", daemon=True).start()
    threading.Thread(target=look_after_starts, name="starts", daemon=True).start()
    if leads:
        leads.set(1)
        threading.Thread(target=collect, name="collectors", daemon=True).start()
    run()


def look_after_starts() -> None:
    """Its imports are the leader's business, not the standby's."""
    from resources.launching.starts import watch_starts

    watch_starts()


def end_when_hung(tolerance: float, pause: float = 15) -> None:
    """Ends this process when a part of the daemon has hung, for another to lead. Dagster would write a warning."""
    import dagster as dg
    from sqlalchemy.exc import SQLAlchemyError

    since = time.time()
    with dg.DagsterInstance.get() as instance:
        while True:
            time.sleep(pause)
            try:
                beats = {part: beat.timestamp for part, beat in instance.get_daemon_heartbeats().items()}
            except SQLAlchemyError:
                continue  # a database that is away is the lease's concern
            if hung := silent(beats, since, tolerance):
                log.error("no heartbeat for %.0f s from %s: this daemon ends", tolerance, ", ".join(hung))
                os.kill(os.getpid(), signal.SIGKILL)


def silent(heartbeats: Mapping[str, float], since: float, tolerance: float) -> list[str]:
    """The parts of the daemon that have given a heartbeat since then, and none within the tolerance.

    Those before are another daemon's, or of a part that is no longer configured.

    Args:
        heartbeats: the last of each part, in Unix seconds.
        since: Unix seconds.
        tolerance: seconds.
    """
    return [part for part, last in heartbeats.items() if since < last < time.time() - tolerance]


if __name__ == "__main__":
    main()
