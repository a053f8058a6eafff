"""HTTP sessions that repeat a request, for the clients of this room and for the webhook.

Belongs here: repetition, and addresses that no log may show. Does not belong here: what a server answers.
"""

import logging
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import requests

# The loggers of urllib3 that print the path of an address.
PRINT_PATHS = ("urllib3.connectionpool", "urllib3.util.retry")


@contextmanager
def open_session(
    *, repeats: int, repeat_statuses: Collection[int] = (), repeat_unanswered: bool = False, longest_pause: float = 5
) -> Iterator["requests.Session"]:
    """Opens a session that repeats a request if the request reached no server.

    A proxy of the environment is used for other machines only: it can't reach a server of this one.

    Args:
        repeats: how often a request is repeated, with pauses of 0 s, 1 s, 2 s, 4 s and so on.
        repeat_statuses: a request is repeated after these statuses too, because the server has done nothing.
        repeat_unanswered: whether a request is repeated that was sent and not answered. The server may do it twice.
        longest_pause: seconds.
    """
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    retry = Retry(
        total=None,
        connect=repeats,
        read=repeats if repeat_unanswered else False,
        status=repeats if repeat_statuses else 0,
        other=0,
        allowed_methods=None,
        status_forcelist=repeat_statuses,
        raise_on_status=False,
        respect_retry_after_header=False,
        backoff_factor=0.5,
        backoff_max=longest_pause,
    )

    class Adapter(HTTPAdapter):
        def send(self, request: "requests.PreparedRequest", *arguments: Any, **more: Any) -> "requests.Response":
            if is_loopback(request.url or ""):
                more["proxies"] = None
            return super().send(request, *arguments, **more)

    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, Adapter(max_retries=retry))
        yield session


def is_loopback(address: str) -> bool:
    """Whether an address is one of this machine itself."""
    host = urlsplit(address).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def hide_paths() -> Iterator[None]:
    """Drops urllib3's messages about this thread's requests, because the path of an address may be a secret."""
    own_thread = threading.get_ident()

    def is_of_another_thread(record: logging.LogRecord) -> bool:
        return record.thread != own_thread

    loggers = [logging.getLogger(name) for name in PRINT_PATHS]
    for logger in loggers:
        logger.addFilter(is_of_another_thread)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(is_of_another_thread)
