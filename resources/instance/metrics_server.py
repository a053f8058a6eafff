"""What Prometheus scrapes of the daemons: which one leads, and from that one what the installed collectors tell.

Whoever stands by serves too, so that every daemon is a target that is up. Collectors are entry points of the group
`platform.collectors`: what they tell of is no business of the daemon's, and of nobody's until there is a leader.
"""

import logging
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Gauge

log = logging.getLogger(__name__)
COLLECTORS = "platform.collectors"
LEADS = "platform_daemon_leads"


def serve(port: int | None) -> "Gauge | None":
    """Serves this process's metrics on a port; returns the metric that says who leads, or None without a port.

    If the port can't be had, the daemon runs on without metrics.
    """
    if port is None:
        return None
    from prometheus_client import Gauge, start_http_server

    leads = Gauge(LEADS, "1: this daemon leads. 0: it stands by.")
    try:
        start_http_server(port)
    except OSError:
        log.exception("port %d can't be had: there are no metrics", port)
    return leads


def collect() -> None:
    """Has the installed collectors asked at each scrape from now on."""
    from prometheus_client import REGISTRY

    for each in entry_points(group=COLLECTORS):
        REGISTRY.register(each.load()())
