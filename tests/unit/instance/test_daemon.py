"""A part of the daemon that hangs stops schedules, sensors or retries, and nothing says so; a busy one must live."""

import logging

import pytest
from sqlalchemy.exc import OperationalError

from resources.instance.daemon import find_hung, watch_heartbeats
from resources.supervision import leader
from resources.supervision.lease import Lease


def test_a_part_without_a_heartbeat_for_too_long_has_hung() -> None:
    heartbeats = {"SENSOR": 699.0, "SCHEDULER": 701.0, "BACKFILL": 999.0}
    assert find_hung(heartbeats, since=400, expected_after=700) == ["SENSOR"]


def test_the_heartbeats_of_the_daemon_before_are_not_its_own() -> None:
    assert find_hung({"SENSOR": 699}, since=800, expected_after=700) == []
    assert find_hung({"SENSOR": 800}, since=800, expected_after=900) == []


class Clock:
    """A clock that only a wait moves. After an hour it ends what would never return."""

    def __init__(self) -> None:
        self.now, self.waits = 1000.0, list[float]()

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.waits.append(seconds)
        if self.now > 4600:
            raise TimeoutError

    def __call__(self) -> float:
        return self.now


def test_the_watch_ends_when_a_part_has_hung_and_waits_between_its_checks(caplog) -> None:
    clock, asked = Clock(), []

    def fetch() -> dict[str, float]:
        asked.append(clock.now)
        assert len(asked) == len(clock.waits), "it asks without a pause"
        return {"SENSOR": 1010.0, "SCHEDULER": clock.now}

    with caplog.at_level(logging.ERROR):
        watch_heartbeats(fetch, tolerance=300, wait=clock.wait, clock=clock)
    assert clock.waits == [15.0] * len(clock.waits)
    assert 1310 < clock.now <= 1310 + 15
    assert "no heartbeat for 300 s from SENSOR" in caplog.text


def test_a_database_that_does_not_answer_ends_no_daemon_and_no_watch() -> None:
    clock = Clock()

    def fetch() -> dict[str, float]:
        if clock.now < 2000:
            raise OperationalError("SELECT", {}, ConnectionRefusedError())
        return {"SENSOR": clock.now if clock.now < 3000 else 2999.0}

    watch_heartbeats(fetch, tolerance=300, wait=clock.wait, clock=clock)
    assert clock.now > 3000


def test_a_daemon_whose_parts_all_work_is_watched_for_ever() -> None:
    clock = Clock()
    with pytest.raises(TimeoutError):
        watch_heartbeats(lambda: {"SENSOR": clock.now}, tolerance=300, wait=clock.wait, clock=clock)


def test_process_1_is_refused_because_nothing_would_end_it(monkeypatch) -> None:
    acted = []
    monkeypatch.setattr(leader.os, "getpid", lambda: 1)
    with pytest.raises(leader.NoAlarm, match="shareProcessNamespace"):
        leader.lead(Lease("host=127.0.0.1 port=1", "act", "first"), lambda: acted.append("acted"))
    assert not acted
