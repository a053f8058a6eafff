"""A part of the daemon that hangs stops schedules, sensors or retries, and nothing says so; a busy one must live."""

import time

import pytest

from resources.instance import daemon
from resources.supervision import leader
from resources.supervision.lease import Lease


def test_a_part_without_a_heartbeat_for_too_long_is_silent() -> None:
    now = time.time()
    heartbeats = {"SENSOR": now - 301, "SCHEDULER": now - 299, "BACKFILL": now - 1}
    assert daemon.silent(heartbeats, since=now - 600, tolerance=300) == ["SENSOR"]


def test_the_heartbeats_of_the_daemon_before_are_not_its_own() -> None:
    now = time.time()
    assert daemon.silent({"SENSOR": now - 301}, since=now - 200, tolerance=300) == []


def test_process_1_is_refused_as_nothing_would_end_it(monkeypatch) -> None:
    acted = []
    monkeypatch.setattr(leader.os, "getpid", lambda: 1)
    with pytest.raises(RuntimeError, match="shareProcessNamespace"):
        leader.lead(Lease("host=127.0.0.1 port=1", "act", "first"), lambda: acted.append("acted"))
    assert not acted
