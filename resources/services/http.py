"""HTTP sessions that repeat a request, for the clients of this room and for the webhook.

Belongs here: repetition, and addresses that no log may show. Does not belong here: what a server answers.
"""

import logging
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import requests

# The loggers of urllib3 that print a path.
PRINT_PATHS = ("urllib3.connectionpool", "urllib3.util.retry")


@contextmanager
def open_session(
    *, repeats: int, after: Collection[int] = (), unanswered: bool = False, longest_pause: float = 5
) -> Iterator["requests.Session"]:
    """A session that repeats a request which reached nobody.

    Args:
        repeats: how often a request is repeated, with pauses of 0 s, 1 s, 2 s, 4 s and so on.
        after: statuses after which it is repeated too, because the server has done nothing.
        unanswered: whether it is repeated too if it was sent and no answer came. The server may do it twice.
        longest_pause: seconds.
    """
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    retry = Retry(
        total=None,
        connect=repeats,
        read=repeats if unanswered else False,
        status=repeats if after else 0,
        other=0,
        allowed_methods=None,
        status_forcelist=after,
        raise_on_status=False,
        respect_retry_after_header=False,
        backoff_factor=0.5,
        backoff_max=longest_pause,
    )
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry))
        yield session


@contextmanager
def hide_paths() -> Iterator[None]:
    """Keeps what urllib3 logs of this thread's requests out of every log: the path of an address may be a secret."""
    here = threading.get_ident()

    def is_elsewhere(record: logging.LogRecord) -> bool:
        return record.thread != here

    loggers = [logging.getLogger(name) for name in PRINT_PATHS]
    for logger in loggers:
        logger.addFilter(is_elsewhere)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(is_elsewhere)
