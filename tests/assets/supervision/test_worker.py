"""A worker that was given up must not write on; one that is well must not be taken for dead."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn

from resources.launching.knocking import knock
from resources.supervision.lease import Lease
from resources.supervision.lease_table import Leases
from resources.supervision.port import LONGEST_QUEUE
from resources.supervision.worker import TIME_TO_END, draw_delay

RUN = "run/1234"
# Says that it works, and then does so until it is ended.
WORKING = "import time; print('working', flush=True); time.sleep(60)"
EVENT = "INSERT INTO event_logs (run_id, event, dagster_event_type, timestamp) VALUES ('1234', '{}', %s, now())"


@pytest.fixture
def leases(storage) -> Leases:
    return Leases(storage)


@pytest.fixture
def supervised(storage, monkeypatch) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `resources.supervision.worker` with a command of Python below it, as the pod of a run does."""
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE", "password": "PGPASSWORD"}
    address = {names[key]: value for key, value in parse_dsn(storage).items() if key in names}
    environment = os.environ | address | {"PLATFORM_RUN_ID": "1234", "PLATFORM_RUN_LEASE_SECONDS": "3"}
    with ExitStack() as stack:

        def start(code: str, pod: str = "first") -> subprocess.Popen[str]:
            command = [sys.executable, "-m", "resources.supervision.worker", sys.executable, "-c", code]
            own, pipe = environment | {"HOSTNAME": pod}, subprocess.PIPE
            started = stack.enter_context(subprocess.Popen(command, env=own, stdout=pipe, stderr=pipe, text=True))
            stack.callback(end, started)
            return started

        yield start


def end(started: subprocess.Popen[str]) -> None:
    """What a container does with all that is in it, once its first process is gone."""
    for child in below(started) if started.poll() is None else []:
        os.kill(child, signal.SIGKILL)
    started.kill()


def below(started: subprocess.Popen[str]) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text().split()]


def until(there: Callable[[], Any], seconds: float = 20) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := there()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def working(started: subprocess.Popen[str], leases: Leases) -> None:
    assert started.stdout
    assert started.stdout.readline() == "working\n"
    until(lambda: leases.find_deadline(RUN))


def test_a_holder_answers_any_number_of_calls_at_its_port_while_its_worker_works(supervised, leases) -> None:
    working(supervised(WORKING), leases)
    for _ in range(3):
        assert all(knock("127.0.0.1", 5) for _ in range(LONGEST_QUEUE // 2))
        time.sleep(1.5)


@pytest.mark.parametrize(("code", "expected"), [("raise SystemExit(7)", 7), ("import os; os.abort()", 134)])
def test_it_ends_as_its_worker_does_and_leaves_no_lease(supervised, leases, code, expected) -> None:
    assert supervised(code).wait(30) == expected
    assert leases.find_deadline(RUN) is None


def test_a_signal_to_end_in_order_reaches_the_worker(supervised, leases) -> None:
    orderly = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n" + WORKING
    started = supervised(orderly)
    working(started, leases)
    started.terminate()
    assert started.wait(10) == 5
    assert leases.find_deadline(RUN), "it looks like a worker that ended by its own fault"


def test_an_attempt_waits_longer_the_more_were_lost_before_it_and_not_for_ever() -> None:
    waits = {attempt: [draw_delay(attempt) for _ in range(200)] for attempt in (0, 3, 4, 7, 100)}
    assert max(waits[0]) == max(waits[3]) == 0
    assert 0 < max(waits[4]) <= 2 < max(waits[7]) <= 16
    assert 50 < max(waits[100]) <= 60
    assert min(waits[100]) < 10, "those that were lost together come back together"


def test_an_attempt_that_still_waits_ends_when_it_is_asked_to() -> None:
    waiting = "from resources.supervision.worker import supervise\nfrom resources.supervision.lease import Lease\n"
    waiting += "print('waits', flush=True)\n"
    waiting += "raise SystemExit(supervise(['false'], {}, Lease('', 'run/1', 'pod'), delay=60))"
    with subprocess.Popen([sys.executable, "-c", waiting], stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout
        assert started.stdout.readline() == "waits\n"
        time.sleep(0.5)
        started.terminate()
        assert started.wait(5) == 128 + signal.SIGTERM


def test_the_lease_is_renewed_for_as_long_as_the_worker_computes(supervised, leases) -> None:
    never_lets_go = "print('working', flush=True)\nwhile True: sum(range(10_000_000))"
    started = supervised(never_lets_go)
    working(started, leases)
    seen = leases.find_deadline(RUN)
    until(lambda: leases.find_deadline(RUN) != seen, 5)
    assert started.poll() is None


def test_a_worker_whose_lease_was_revoked_is_killed_before_it_can_say_anything(supervised, leases, storage) -> None:
    started = supervised("import signal; signal.signal(signal.SIGTERM, lambda *_: print('it goes on'));" + WORKING)
    working(started, leases)
    until(lambda: leases.revoke(RUN, leases.find_deadline(RUN)))
    assert started.wait(5) == 128 + signal.SIGKILL
    output, complaint = started.communicate()
    assert not output
    assert "was revoked" in complaint
    assert leases.find_deadline(RUN), "a revoked lease stays, so that nobody takes it"
    assert not Lease(storage, RUN, "a second pod of the same run", 3).take()


def test_the_worker_of_a_step_may_end_by_itself_when_its_run_has_ended_and_its_pod_did_not_fail(
    supervised, leases, storage
) -> None:
    at_its_end = "import time; print('working', flush=True); time.sleep(4)"
    started = supervised(at_its_end)
    working(started, leases)
    delete_lease(storage)
    assert started.wait(10) == 0


def test_a_worker_that_goes_on_after_its_run_has_ended_is_killed(supervised, leases, storage) -> None:
    started = supervised(WORKING)
    working(started, leases)
    delete_lease(storage)
    with pytest.raises(subprocess.TimeoutExpired):
        started.wait(TIME_TO_END - 3)
    assert started.wait(8) == 128 + signal.SIGKILL


def delete_lease(storage: str) -> None:
    """What the end of a run does with the leases of its steps."""
    with closing(psycopg2.connect(storage)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM leases WHERE name = %s", (RUN,))


def test_a_frozen_worker_falls_silent_and_never_wakes_up_once_it_was_given_up(supervised, leases) -> None:
    started = supervised(WORKING)
    working(started, leases)
    (worker,) = below(started)
    os.kill(worker, signal.SIGSTOP)
    time.sleep(1.5)
    seen = leases.find_deadline(RUN)
    time.sleep(2.5)
    assert leases.find_deadline(RUN) == seen, "renewed for a worker that does nothing"
    assert started.poll() is None
    assert leases.revoke(RUN, seen)
    assert started.wait(5) == 128 + signal.SIGKILL, "it waits to be woken up"


def test_a_second_pod_of_one_run_is_ended_and_the_first_works_on(supervised, leases) -> None:
    first = supervised(WORKING)
    working(first, leases)
    assert supervised(WORKING, "second").wait(10) == 1, "its worker began"
    seen = leases.find_deadline(RUN)
    until(lambda: leases.find_deadline(RUN) != seen, 5)
    assert first.poll() is None


def test_a_database_that_is_away_ends_no_worker(supervised, leases, storage, postgres) -> None:
    started = supervised(WORKING)
    working(started, leases)
    name = parse_dsn(storage)["dbname"]
    with closing(psycopg2.connect(postgres.create_database("postgres"))) as other, other.cursor() as cursor:
        other.autocommit = True
        cursor.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        with pytest.raises(subprocess.TimeoutExpired):
            started.wait(5)
        cursor.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    seen = Leases(storage).find_deadline(RUN)
    until(lambda: Leases(storage).find_deadline(RUN) != seen, 10)
