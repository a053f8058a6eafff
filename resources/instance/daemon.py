"""Dagster's daemon, of which one leads and the others stand by (`python -m resources.instance.daemon run …`).

Two daemons that both act would launch things twice (dagster issue 33962). A single daemon that is lost with its node
would be missing until Kubernetes has given the node up. The leader holds a lease in PostgreSQL
(resources/supervision/lease.py); the others wait, and import nothing of Dagster
(docs/decisions/kubernetes/0010-one-daemon-leads.md).

Belongs here: how the daemon starts, and how it ends when a part of it hangs. Does not belong here: how a leader is
found (resources/supervision/leader.py), and what is checked of runs (resources/launching/starts.py).
"""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from resources.deployment import Deployment
from resources.instance.metrics_server import register_collector, serve
from resources.instance.news.listener import News
from resources.launching.silence import STANDBY, Standby
from resources.machine.console_script import load
from resources.supervision.leader import lead
from resources.supervision.lease import Lease
from resources.supervision.lease_table import Leases

if TYPE_CHECKING:
    from prometheus_client import Gauge

log = logging.getLogger(__name__)
# The lease of the daemon that leads.
LEASE = "daemon"
# Seconds between two checks of the heartbeats.
PAUSE = 15.0


def main() -> None:
    """Waits for the lease, then becomes `dagster-daemon` with this command's arguments.

    The lease is in the database of libpq's variables (PGHOST, PGPASSWORD, …). The deployment has the lease's length,
    the seconds without a heartbeat after which a part of the daemon counts as hung, and the port of the metrics
    (resources/instance/metrics_server.py).
    """
    ours = logging.getLogger("resources")  # not the root logger, because Dagster adds its own handlers to its loggers
    ours.setLevel(logging.INFO)
    ours.addHandler(logging.StreamHandler())
    deployment = Deployment.from_environment()
    leads = serve(deployment.metrics_port)

    lease = Lease("", LEASE, socket.gethostname(), deployment.daemon_lease_seconds)
    standby = Standby(STANDBY, Leases("", "standby daemon").list_deadlines)

    def act() -> None:
        standby.look()  # if PostgreSQL answered late when it was asked for the lease, all is forgotten
        run_daemon(deployment.heartbeat_seconds, leads)

    lead(lease, act, stand_by=standby.look)


def run_daemon(heartbeat_seconds: float, leads: "Gauge | None" = None) -> None:
    """Runs Dagster's own command in this process, so that it ends with the lease.

    Args:
        heartbeat_seconds: the seconds without a heartbeat after which a part of the daemon counts as hung.
        leads: the gauge that is 1 in the daemon that leads; None: there are no metrics.
    """
    run = load("dagster-daemon", *sys.argv[1:])  # before the threads start, because they import parts of it too
    hear_news()
    threading.Thread(target=end_when_hung, args=(heartbeat_seconds,), name="heartbeats", daemon=True).start()
    threading.Thread(target=watch_starting_runs, name="starts", daemon=True).start()
    if leads:
        leads.set(1)
        threading.Thread(target=register_collector, name="collector", daemon=True).start()
    run()


def hear_news() -> None:
    """Lets parts of the daemon hear of runs at once. It imports Dagster here: a daemon that stands by must not."""
    from resources.instance.news.loops import listen

    news = News()
    listen(news)
    news.start()


def watch_starting_runs() -> None:
    """Checks runs that start. It imports Dagster here, because a daemon that stands by must not."""
    from resources.launching.starts import watch_starts

    watch_starts()


def end_when_hung(tolerance: float) -> None:
    """Ends this process when a part of the daemon has hung, so that another leads. Dagster would only log a warning.

    Args:
        tolerance: seconds without a heartbeat.
    """
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        watch_heartbeats(
            lambda: {part: beat.timestamp for part, beat in instance.get_daemon_heartbeats().items()}, tolerance
        )
        os.kill(os.getpid(), signal.SIGKILL)


def watch_heartbeats(
    fetch: Callable[[], Mapping[str, float]],
    tolerance: float,
    wait: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.time,
) -> None:
    """Watches the heartbeats of the daemon's parts; returns when one has hung.

    Args:
        fetch: returns the last heartbeat of each part, in Unix seconds.
        tolerance: seconds without a heartbeat.
        wait: waits for so many seconds.
        clock: returns Unix seconds.
    """
    from sqlalchemy.exc import SQLAlchemyError

    since = clock()
    while True:
        wait(PAUSE)
        try:
            heartbeats = fetch()
        except SQLAlchemyError:
            continue  # a database that does not answer is the lease's concern
        if hung := find_hung(heartbeats, since, clock() - tolerance):
            log.error("no heartbeat for %.0f s from %s: this daemon ends", tolerance, ", ".join(hung))
            return


def find_hung(heartbeats: Mapping[str, float], since: float, expected_after: float) -> list[str]:
    """The parts of the daemon that have given a heartbeat since this daemon leads, and none recently.

    Older heartbeats are another daemon's, or those of a part that is no longer configured.

    Args:
        heartbeats: the last one of each part, in Unix seconds.
        since: when this daemon began to lead, in Unix seconds.
        expected_after: a part whose last heartbeat is older has hung; in Unix seconds.
    """
    return [part for part, last in heartbeats.items() if since < last < expected_after]


if __name__ == "__main__":
    main()
