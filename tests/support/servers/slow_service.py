"""An outside service on this machine: it answers each request as a test says, after any time, and counts all of them.

One thread serves any number of requests at once.
"""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class SlowService:
    """What the service has seen.

    Attributes:
        handle: answers a request; a test may replace it at any time.
        loop: in which it answers.
        url: of the service, without a slash at its end.
        asked: how often each path was asked for, decoded.
        headers: of the last request.
        most_at_once: the greatest number of requests that were open together.
    """

    handle: Handler
    loop: asyncio.AbstractEventLoop
    url: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    headers: dict[str, str] = field(default_factory=dict)
    most_at_once: int = 0
    _open: int = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Counts a request, and answers it."""
        self.asked[request.path] += 1
        self.headers = dict(request.headers)
        self._open += 1
        self.most_at_once = max(self.most_at_once, self._open)
        try:
            return await self.handle(request)
        finally:
            self._open -= 1


def answer_with(values: dict[str, Any], after: float = 0.0) -> Handler:
    """A handler that gives everybody these values."""

    async def handle(_: web.Request) -> web.Response:
        await asyncio.sleep(after)
        return web.Response(text=json.dumps(values), content_type="application/json")

    return handle


@contextmanager
def serve(handle: Handler) -> Iterator[SlowService]:
    """Serves until the context ends."""
    started, loop = threading.Event(), asyncio.new_event_loop()
    service = SlowService(handle, loop)
    ended = asyncio.Event()

    async def run() -> None:
        application = web.Application()
        application.router.add_route("*", "/{anything:.*}", service.answer)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=4096)
        await site.start()
        service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        started.set()
        await ended.wait()
        await runner.cleanup()

    def work() -> None:
        loop.run_until_complete(run())
        loop.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    started.wait()
    try:
        yield service
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
