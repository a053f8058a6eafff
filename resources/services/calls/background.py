"""One thread that asks any number of services, while the thread that started it does other work.

Belongs here: the thread, its end, and how replies get out of it. Does not belong here: the calls (`asking`).
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from resources.services.calls.asking import ask_all
from resources.services.calls.service import Reply, Service

# Replies that come together are taken together.
GATHER_SECONDS = 0.05
# A question for the address of a host can't be ended. The thread does not keep the process alive.
LONGEST_STOP_SECONDS = 5.0


@dataclass(frozen=True)
class Request:
    """What one service is asked, as `ask_all` takes it."""

    service: Service
    addresses: Mapping[str, str]
    read: Callable[[bytes], Any]


class Replies:
    """The replies of all services, as they come.

    Args:
        requests: what is asked.
    """

    def __init__(self, requests: Sequence[Request]) -> None:
        self._requests = requests
        self._replies: SimpleQueue[Reply[Any] | None] = SimpleQueue()
        self._started = threading.Event()
        self._error: BaseException | None = None
        self._is_done = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._ask, name="outside-services", daemon=True)
        self._thread.start()

    @property
    def is_done(self) -> bool:
        """Whether every reply was collected."""
        return self._is_done

    def collect(self, seconds: float) -> list[Reply[Any]]:
        """The replies that came since the last call; waits for one, at most so long.

        Raises:
            Exception: an error of the thread that is no failure of a call.
        """
        collected = list[Reply[Any]]()
        try:
            reply = self._replies.get(timeout=seconds)
            time.sleep(GATHER_SECONDS)
            while reply is not None:
                collected.append(reply)
                reply = self._replies.get_nowait()
        except Empty:
            return collected
        self._is_done = True
        if self._error:
            raise self._error
        return collected

    def stop(self) -> None:
        """Ends all calls that are under way, and the thread."""
        self._started.wait()
        if self._loop:
            with suppress(RuntimeError):  # the thread has just ended, and has closed the loop
                self._loop.call_soon_threadsafe(self._cancel)
        self._thread.join(LONGEST_STOP_SECONDS)

    def _ask(self) -> None:
        try:
            with asyncio.Runner() as runner:
                self._loop = runner.get_loop()
                self._task = self._loop.create_task(self._ask_services())
                self._started.set()
                self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001 - whoever collects the replies raises it
            self._error = _find_first(error)
        finally:
            self._started.set()
            self._replies.put(None)

    def _cancel(self) -> None:
        if self._task:
            self._task.cancel()

    async def _ask_services(self) -> None:
        async with asyncio.TaskGroup() as services:
            for each in self._requests:
                services.create_task(ask_all(each.service, each.addresses, each.read, self._replies.put))


@contextmanager
def ask_in_background(requests: Sequence[Request]) -> Iterator[Replies]:
    """Asks services until everything is answered, or until the context ends."""
    replies = Replies(requests)
    try:
        yield replies
    finally:
        replies.stop()


def _find_first(error: BaseException) -> BaseException:
    """The error itself; of a group, the first one in it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
