"""What Prometheus scrapes of the daemons: which one leads, and from that one what the installed collectors tell.

Whoever stands by serves too, so that every daemon is a target that is up. Collectors are entry points of the group
`platform.collectors`: what they tell of is no business of the daemon's, and of nobody's until there is a leader.
"""

import logging
import os
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Gauge

log = logging.getLogger(__name__)
PORT = "DAGSTER_DAEMON_METRICS_PORT"
COLLECTORS = "platform.collectors"
LEADS = "platform_daemon_leads"


def serve() -> "Gauge | None":
    """Serves this process's metrics on the port that the environment names; returns the one that says who leads.

    None: no port is named. A port that can't be had costs the metrics, and not the daemon.
    """
    if not (port := os.environ.get(PORT)):
        return None
    from prometheus_client import Gauge, start_http_server

    leads = Gauge(LEADS, "1: this daemon leads. 0: it stands by.")
    try:
        start_http_server(int(port))
    except (OSError, ValueError, OverflowError):
        log.exception("%s=%s: there are no metrics", PORT, port)
    return leads


def collect() -> None:
    """Has the installed collectors asked at each scrape from now on."""
    from prometheus_client import REGISTRY

    for each in entry_points(group=COLLECTORS):
        REGISTRY.register(each.load()())
