"""Dagster's real daemon under the lease: one acts, and when it is lost the other does."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing

import psycopg2
import pytest
import requests
from psycopg2.extensions import parse_dsn

from tests.support.instances import open_instance

HOLDER = "SELECT fence FROM leases WHERE name = 'daemon' AND deadline > clock_timestamp()"
LISTENING = "SELECT pid FROM pg_stat_activity WHERE application_name = 'news of runs' AND datname = current_database()"
FOLLOWING = (
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'standby daemon' AND datname = current_database()"
)
HEARTBEATS = "SELECT daemon_id FROM daemon_heartbeats"


@pytest.fixture
def ports() -> list[int]:
    """Where each of them is scraped."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(2)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


@pytest.fixture
def daemons(postgres, database_url, tmp_path, monkeypatch, ports):
    """Two daemons on one database."""
    name = parse_dsn(database_url)["dbname"]
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("PLATFORM_HISTORY_URL", database_url)
    monkeypatch.setenv("PLATFORM_DAEMON_LEASE_SECONDS", "5")
    monkeypatch.setenv("PGHOST", str(postgres.sockets))
    monkeypatch.setenv("PGUSER", "postgres")
    monkeypatch.setenv("PGDATABASE", name)
    (tmp_path / "workspace.yaml").write_text("load_from: []\n")
    with open_instance(tmp_path, database_url), ExitStack() as stack:
        command = [
            sys.executable,
            "-m",
            "resources.instance.daemon",
            "run",
            "--workspace",
            str(tmp_path / "workspace.yaml"),
        ]
        environments = [{**os.environ, "PLATFORM_METRICS_PORT": str(port)} for port in ports]
        started = [stack.enter_context(subprocess.Popen(command, env=each)) for each in environments]
        for each in started:
            stack.callback(each.kill)
        yield started


@pytest.fixture
def ask(database_url):
    """The first column that a question to the database returns."""

    def answer(question) -> set:
        with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
            cursor.execute(question)
            return {row[0] for row in cursor.fetchall()}

    return answer


def test_one_daemon_acts_and_the_other_does_when_it_is_lost(daemons, ports, ask) -> None:
    until(lambda: ask(HEARTBEATS))
    (first,) = ask(HEARTBEATS)
    assert ask(HOLDER) == {1}
    leader = max(daemons, key=lambda each: resident(each.pid))
    assert sum(resident(each.pid) > 100 for each in daemons) == 1, "the one that stands by has imported Dagster"
    until(lambda: len(ask(LISTENING)) == 1)
    port = dict(zip((each.pid for each in daemons), ports, strict=True))
    leads, (stands_by,) = port.pop(leader.pid), port.values()
    until(lambda: "platform_storage_answers 1.0" in scraped(leads))
    assert "platform_daemon_leads 1.0" in scraped(leads)
    assert "platform_retries_missing 0.0" in scraped(leads)
    assert "platform_daemon_leads 0.0" in scraped(stands_by)
    assert "platform_retries_missing" not in scraped(stands_by)
    until(lambda: len(ask(FOLLOWING)) == 2)  # the leader looks once more when it begins to lead
    os.kill(leader.pid, signal.SIGKILL)
    lost = time.monotonic()
    until(lambda: ask(HEARTBEATS) not in (set(), {first}))
    assert time.monotonic() - lost < 20
    assert ask(HOLDER) == {2}
    assert "platform_daemon_leads 1.0" in scraped(stands_by)


def scraped(port: int) -> str:
    return requests.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text


def resident(pid: int) -> float:
    """Memory of a process in MiB."""
    return int(subprocess.check_output(["ps", "-o", "rss=", "-p", str(pid)])) / 1024


def until(there) -> None:
    deadline = time.monotonic() + 60
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.2)
