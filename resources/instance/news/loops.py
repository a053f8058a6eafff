"""The parts of Dagster's daemon that wait for news: the queue of runs, and the search for failed runs.

Stock looks once a second at best, so a run waits half a second in the queue, and a retry waits twice as long. A shorter
interval would keep a core busy (docs/decisions/code/0026-the-daemon-is-informed.md).
"""

import time
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

from resources.instance.news.listener import News, Topic

# Dagster writes a heartbeat of a part only between two steps of its loop, and ends a part only there.
LONGEST_STEP = 0.5


def listen(news: News) -> None:
    """Lets the queue and the search for failed runs begin again as soon as there is news for them."""
    from dagster._daemon.auto_run_reexecution.event_log_consumer import EventLogConsumerDaemon
    from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

    make_prompt(QueuedRunCoordinatorDaemon, lambda seconds: news.wait(Topic.QUEUE, seconds))
    make_prompt(EventLogConsumerDaemon, lambda seconds: news.wait(Topic.FAILURES, seconds))


def make_prompt(part: type[Any], wait: Callable[[float], bool], clock: Callable[[], float] = time.monotonic) -> None:
    """Changes the loop of a part of Dagster's daemon: it waits for news, and for its interval at most.

    Args:
        part: a subclass of Dagster's IntervalDaemon. Dagster's command makes its instances, so its class is changed.
        wait: waits for news, or for so many seconds; whether there is news.
        clock: returns seconds; it never goes back.
    """
    from dagster._daemon.daemon import SpanMarker

    stock = part.core_loop

    def core_loop(self: Any, context: Any, shutdown_event: Event) -> Iterator[Any]:
        interval, self.interval_seconds = self.interval_seconds, 0  # with 0 the stock loop does not wait
        try:
            for step in stock(self, context, shutdown_event):
                yield step
                end = clock() + (interval if step is SpanMarker.END_SPAN else 0)
                while (left := end - clock()) > 0 and not wait(min(left, LONGEST_STEP)):
                    if shutdown_event.is_set():
                        break
                    yield None
        finally:
            self.interval_seconds = interval

    part.core_loop = core_loop
