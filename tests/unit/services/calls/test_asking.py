"""A service that hangs, lies or is down must fail only its own calls, soon, and with the same cause for all alike."""

import asyncio
import json
import threading
from collections.abc import Iterator
from itertools import count, pairwise
from typing import Any

import pytest
from aiohttp import web

from resources.services.calls import asking
from resources.services.calls.background import Replies, Request, ask_in_background
from resources.services.calls.service import BadAnswer, Reply, Service
from tests.support.servers.slow_service import SlowService, answer_with, serve

GOOD = answer_with({"index": 1})


@pytest.fixture
def server() -> Iterator[SlowService]:
    with serve(GOOD) as served:
        yield served


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch) -> None:
    monkeypatch.setattr(asking, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(asking, "RANDOM_PAUSE", 0.01)


def ask(server: SlowService, keys: int = 1, path: str = "/", **settings: Any) -> list[Reply[Any]]:
    """All replies to so many calls, sorted by their key."""
    service = Service("region", **settings)
    addresses = {f"{number:04d}": f"{server.url}{path}{number:04d}" for number in range(keys)}
    with ask_in_background([Request(service, addresses, read_index)]) as calls:
        return sorted(collect_all(calls), key=lambda reply: reply.key)


def collect_all(calls: Replies) -> list[Reply[Any]]:
    """Waits until everything is answered."""
    replies = list[Reply[Any]]()
    while not calls.is_done:
        replies += calls.collect(10)
    return replies


def read_index(body: bytes) -> int:
    try:
        return json.loads(body)["index"]
    except (ValueError, KeyError):
        raise BadAnswer("garbage", "no index") from None


def test_five_hundred_slow_answers_are_awaited_at_once_by_one_thread(server) -> None:
    server.handle = answer_with({"index": 7}, after=1.0)
    threads = list[int]()
    with ask_in_background(
        [Request(Service("region"), {str(key): f"{server.url}/{key}" for key in range(500)}, read_index)]
    ) as calls:
        replies = list[Reply[Any]]()
        while not calls.is_done:
            threads.append(threading.active_count())
            replies += calls.collect(10)
    assert [reply.value for reply in replies] == [7] * 500
    assert server.most_at_once == 500
    # This one, the server's, the one that asks, and one that asked for the address of the host.
    assert max(threads) <= 4
    assert len({thread.name for thread in threading.enumerate() if thread.name == "outside-services"}) == 0


def test_no_more_calls_are_made_at_once_than_the_service_allows(server) -> None:
    server.handle = answer_with({"index": 1}, after=0.05)
    assert all(reply.value == 1 for reply in ask(server, keys=20, at_once=3))
    assert server.most_at_once == 3


def test_a_service_that_hangs_is_given_up_after_its_time_and_its_tries(server) -> None:
    server.handle = answer_with({"index": 1}, after=60)
    (reply,) = ask(server, timeout_seconds=0.2, tries=2)
    assert (reply.value, reply.cause, len(reply.tries)) == (None, "no answer in time", 2)
    assert reply.message == "no answer within 0.2 s"


def test_a_service_that_sends_its_answer_a_byte_at_a_time_is_given_up_too(server) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(600):
            await response.write(b" ")
            await asyncio.sleep(0.1)
        return response

    server.handle = drip
    (reply,) = ask(server, timeout_seconds=0.5, tries=1)
    assert reply.cause == "no answer in time"


def test_a_service_that_fails_at_first_is_asked_again_and_its_answer_counts(server) -> None:
    numbers = count()

    async def recover(request: web.Request) -> web.StreamResponse:
        return web.Response(status=503) if next(numbers) < 2 else await GOOD(request)

    server.handle = recover
    (reply,) = ask(server, tries=3)
    assert (reply.value, reply.cause) == (1, "")
    assert [each.result for each in reply.tries] == ["it answered with status 503"] * 2 + ["answered"]
    pauses = [after.began - before.began - before.seconds for before, after in pairwise(reply.tries)]
    assert all(pause > 0.005 for pause in pauses)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (web.Response(text="Jane Doe earns 1,000"), "garbage"),
        (web.Response(status=404, text="Jane Doe"), "status 404"),
        (web.Response(status=302, headers={"Location": "/elsewhere"}), "status 302"),
        (web.Response(body=b"[" * (65 << 10)), "an answer that is too large"),
    ],
)
def test_an_answer_that_can_not_be_used_is_asked_for_once_and_never_quoted(server, answer, cause) -> None:
    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)

    server.handle = handle
    (reply,) = ask(server, tries=3)
    assert (reply.value, reply.cause, len(reply.tries)) == (None, cause, 1)
    assert server.asked == {"/0000": 1}
    assert "Jane" not in repr(reply)


def test_a_compressed_answer_is_not_unpacked(server) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.headers["Accept-Encoding"] == "identity"
        response = web.Response(text=" " * (10 << 20))
        response.enable_compression(web.ContentCoding.gzip)
        return response

    server.handle = handle
    assert ask(server)[0].cause == "garbage"


def test_a_service_that_nobody_runs_is_named_as_such() -> None:
    with serve(GOOD) as server:
        pass
    (reply,) = ask(server, tries=1)
    assert (reply.cause, reply.message) == ("no connection", "the connection failed (ClientConnectorError)")


def test_if_a_service_is_down_calls_stop_and_all_fail_with_one_cause(server, monkeypatch) -> None:
    # All fifty are under way before the first one fails, and none is tried again before twenty have failed.
    monkeypatch.setattr(asking, "FIRST_PAUSE", 2.0)
    numbers, all_under_way = count(1), asyncio.Event()

    async def refuse(_: web.Request) -> web.Response:
        if next(numbers) == 50:
            all_under_way.set()
        await all_under_way.wait()
        return web.Response(status=500)

    server.handle = refuse
    replies = ask(server, keys=2_000, at_once=50, opens_after=20, closes_after_seconds=0.5)
    assert len(replies) == 2_000
    assert {reply.cause for reply in replies} == {"status 500"}
    # Those that were under way when the circuit opened, and one that tried whether it is back.
    assert sum(server.asked.values()) <= 50 + 1
    stopped = [reply for reply in replies if not reply.tries]
    assert len(stopped) >= 1_900
    assert stopped[0].message == "calls were stopped: 20 tries in a row had no answer, nor had one 0.5 s later"


def test_a_service_that_comes_back_while_calls_are_stopped_loses_no_answer(server) -> None:
    numbers = count()

    async def come_back(request: web.Request) -> web.StreamResponse:
        return web.Response(status=500) if next(numbers) < 20 else await GOOD(request)

    server.handle = come_back
    replies = ask(server, keys=200, at_once=20, opens_after=10, closes_after_seconds=0.5, tries=2)
    assert [reply.value for reply in replies] == [1] * 200


def test_a_service_that_answers_badly_is_not_taken_for_one_that_is_down(server) -> None:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(text="garbage")

    server.handle = handle
    replies = ask(server, keys=60, opens_after=5)
    assert {reply.cause for reply in replies} == {"garbage"}
    assert sum(server.asked.values()) == 60


def test_calls_end_with_the_context_and_not_with_their_answers(server) -> None:
    server.handle = answer_with({"index": 1}, after=60)
    with ask_in_background([Request(Service("region"), {"a": f"{server.url}/a"}, read_index)]) as calls:
        assert calls.collect(0.2) == []
        assert not calls.is_done
    assert not [thread for thread in threading.enumerate() if thread.name == "outside-services"]


def test_an_error_of_our_own_in_the_thread_reaches_whoever_waits_for_the_replies(server) -> None:
    def fail(_: bytes) -> int:
        raise ZeroDivisionError

    request = Request(Service("region"), {"a": f"{server.url}/a"}, fail)
    with ask_in_background([request]) as calls, pytest.raises(ZeroDivisionError):
        collect_all(calls)


def test_headers_of_a_service_are_sent_and_not_printed(server) -> None:
    service = Service("region", headers={"Authorization": "Bearer secret-token"})
    with ask_in_background([Request(service, {"a": f"{server.url}/a"}, read_index)]) as calls:
        collect_all(calls)
    assert server.headers["Authorization"] == "Bearer secret-token"
    assert "secret-token" not in repr(service)
