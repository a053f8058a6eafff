"""Calls to one service, many at the same time, in one event loop.

A call is repeated after a pause that grows and has a random part, so that calls that failed together are not repeated
together.

Belongs here: HTTP, and repetition. Does not belong here: the thread (`background`), and what a good answer is.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from resources.services.calls.breaker import Breaker
from resources.services.calls.service import BadAnswer, CallError, NoAnswer, Reply, Service, Try, Value

if TYPE_CHECKING:
    import aiohttp

MOST_BYTES = 64 << 10
# Statuses that say that the same request may succeed later, beside all from 500 on.
LATER = (408, 425, 429)
# Seconds before the second try; the random part is added to every pause.
FIRST_PAUSE, RANDOM_PAUSE, LONGEST_PAUSE = 0.5, 1.0, 10.0


async def ask_all(
    service: Service,
    addresses: Mapping[str, str],
    read: Callable[[bytes], Value],
    tell: Callable[[Reply[Value]], None],
) -> None:
    """Asks a service about many things, in their order, so many at once as the service allows.

    Args:
        service: how it is called.
        addresses: for each thing its URL, encoded.
        read: makes a value of an answer's bytes, or raises BadAnswer.
        tell: is called with every reply as soon as it is there.
    """
    import aiohttp

    breaker, left = Breaker(service), iter(addresses.items())
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=service.at_once),
        cookie_jar=aiohttp.DummyCookieJar(),
        # A small answer may become a large one when it is decompressed.
        headers={"Accept": "application/json", "Accept-Encoding": "identity", **service.headers},
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=service.timeout_seconds),
    ) as session:

        async def work() -> None:
            for key, address in left:
                tell(await _ask(session, service, breaker, key, address, read))

        # Not a task for each address: those that wait would need memory.
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(service.at_once, len(addresses))):
                workers.create_task(work())


async def _ask(
    session: "aiohttp.ClientSession",
    service: Service,
    breaker: Breaker,
    key: str,
    address: str,
    read: Callable[[bytes], Value],
) -> Reply[Value]:
    import tenacity

    tries = list[Try]()

    async def fetch_once() -> bytes:
        began, started = time.time(), time.monotonic()
        result = "answered"
        try:
            return await _fetch(session, service, address)
        except CallError as error:
            result = str(error)
            raise
        finally:
            tries.append(Try(began, time.monotonic() - started, result))

    retrying = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception_type(NoAnswer),
        stop=tenacity.stop_after_attempt(service.tries),
        wait=tenacity.wait_exponential_jitter(multiplier=FIRST_PAUSE, max=LONGEST_PAUSE, jitter=RANDOM_PAUSE),
        reraise=True,
    )
    try:
        return Reply(service.name, key, read(await retrying(breaker.call, fetch_once)), tries=tries)
    except CallError as error:
        return Reply(service.name, key, cause=error.cause, message=str(error), tries=tries)


async def _fetch(session: "aiohttp.ClientSession", service: Service, address: str) -> bytes:
    """The body of one answer.

    Raises:
        NoAnswer: no connection, no answer in time, or a status that says to come back later.
        BadAnswer: another status than 200 to 299, or a body that is too large.
    """
    import aiohttp
    from yarl import URL

    try:
        # A redirect may lead to another host, which must not get the headers.
        async with session.get(URL(address, encoded=True), allow_redirects=False) as response:
            _refuse_status(response.status)
            body = bytearray()
            async for piece in response.content.iter_chunked(MOST_BYTES):
                body += piece
                if len(body) > MOST_BYTES:
                    raise BadAnswer(
                        "an answer that is too large", f"the answer has more than {MOST_BYTES >> 10} kB; expected less"
                    )
            return bytes(body)
    except TimeoutError:
        raise NoAnswer("no answer in time", f"no answer within {service.timeout_seconds:g} s") from None
    except aiohttp.ClientError as error:
        raise NoAnswer("no connection", f"the connection failed ({type(error).__name__})") from None


def _refuse_status(status: int) -> None:
    if status >= 500 or status in LATER:
        raise NoAnswer(f"status {status}", f"it answered with status {status}")
    if not 200 <= status < 300:
        hint = ". Redirects are not followed" if 300 <= status < 400 else ""
        raise BadAnswer(f"status {status}", f"it answered with status {status}; expected 200{hint}")
