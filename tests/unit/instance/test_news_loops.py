"""A part of Dagster's daemon that waits in spite of news costs seconds, and one that never waits costs a core."""

import inspect
import threading
from collections.abc import Callable
from typing import Any

import pytest
from dagster._daemon import controller
from dagster._daemon.auto_run_reexecution.event_log_consumer import EventLogConsumerDaemon
from dagster._daemon.daemon import IntervalDaemon
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

from resources.instance.news.listener import News, Topic
from resources.instance.news.loops import LONGEST_STEP, listen, make_prompt

INTERVAL = 7.0


class Clock:
    """Time passes only while somebody waits."""

    def __init__(self, news_at: float = float("inf")) -> None:
        self.now, self._news_at, self.waits = 0.0, news_at, list[float]()

    def wait(self, seconds: float) -> bool:
        """Waits; whether the news came meanwhile."""
        self.waits.append(seconds)
        comes = self.now < self._news_at <= self.now + seconds
        self.now = self._news_at if comes else self.now + seconds
        return comes


@pytest.fixture
def make_part() -> Callable[[Clock], Any]:
    """Makes a part of Dagster's daemon that writes down when it looks."""

    def make(clock: Clock) -> Any:
        class Part(IntervalDaemon[Any]):
            looked: list[float]

            @classmethod
            def daemon_type(cls) -> str:
                return "PART"

            def run_iteration(self, workspace_process_context: object) -> Any:
                self.looked.append(clock.now)
                yield

        make_prompt(Part, clock.wait, lambda: clock.now)
        part = Part(INTERVAL)
        part.looked = []
        return part

    return make


def live(part: Any, looks: int, shutdown: threading.Event | None = None) -> int:
    """Runs the loop of a part until it has looked so often; returns its steps, after each of which a heartbeat fits."""
    loop, steps = part.core_loop(None, shutdown or threading.Event()), 0
    while len(part.looked) < looks:
        next(loop)
        steps += 1
    loop.close()
    return steps


def test_news_makes_a_part_look_at_once_and_then_it_waits_again(make_part) -> None:
    part = make_part(Clock(news_at=0.7))
    live(part, 3)
    assert part.looked == [0, 0.7, 0.7 + INTERVAL]


def test_a_part_that_waits_gives_heartbeats_all_the_time(make_part) -> None:
    clock = Clock()
    part = make_part(clock)
    steps = live(part, 2)
    assert part.looked == [0, INTERVAL]
    assert max(clock.waits) == LONGEST_STEP
    assert steps > INTERVAL / LONGEST_STEP


def test_a_daemon_that_is_to_end_does_not_wait_for_the_interval(make_part) -> None:
    clock, shutdown = Clock(), threading.Event()
    shutdown.set()
    live(make_part(clock), 2, shutdown)
    assert clock.now == LONGEST_STEP


def test_a_loop_that_begins_again_after_an_error_has_its_interval(make_part) -> None:
    part = make_part(Clock())
    live(part, 2)
    part.looked = []
    live(part, 2)
    assert part.looked[1] - part.looked[0] == INTERVAL


def test_the_queue_hears_of_the_queue_and_the_search_for_failures_of_failures(monkeypatch) -> None:
    """Dagster's command makes its parts of these two classes (decision 0026)."""
    source = inspect.getsource(controller.create_daemon_of_type)
    topics = {QueuedRunCoordinatorDaemon: Topic.QUEUE, EventLogConsumerDaemon: Topic.FAILURES}
    heard = list[Topic]()
    news = News()
    monkeypatch.setattr(news, "wait", lambda topic, _: heard.append(topic) or True)
    for part in topics:  # the test gives both back as they were
        monkeypatch.setattr(part, "core_loop", part.core_loop)
        monkeypatch.setattr(part, "run_iteration", lambda *_: iter([None]))
    listen(news)
    for part, topic in topics.items():
        assert f"return {part.__name__}(" in source
        loop = part(1).core_loop(None, threading.Event())
        while not heard:
            next(loop)
        assert {heard.pop()} == {topic}
        loop.close()
