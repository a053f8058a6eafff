"""The port on which Prometheus scrapes a daemon, and the metric that tells which daemon leads.

Belongs here: the port, and that metric. Does not belong here: what the leader reports (`collector`). A daemon that
stands by serves the port too, so that Prometheus sees every daemon as up.
"""

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Gauge

log = logging.getLogger(__name__)
LEADS = "platform_daemon_leads"


def serve(port: int | None) -> "Gauge | None":
    """Serves this process's metrics on a port; returns the metric that tells who leads, or None without a port.

    If the port can't be opened, the daemon works without metrics.
    """
    if port is None:
        return None
    from prometheus_client import Gauge, start_http_server

    leads = Gauge(LEADS, "1: this daemon leads. 0: it stands by.")
    try:
        start_http_server(port)
    except OSError:
        log.exception("port %d can't be opened: there are no metrics", port)
    return leads


def register_collector() -> None:
    """Adds the leader's metrics to each scrape. The import takes a second, which the standby need not spend."""
    from prometheus_client import REGISTRY

    from resources.instance.collector import PlatformCollector

    REGISTRY.register(PlatformCollector())
