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

import dagster as dg
import psycopg2
import pytest
from psycopg2.errors import InsufficientPrivilege
from psycopg2.extensions import parse_dsn

from resources.supervision.fence import NotFenced, raise_fence
from resources.supervision.lease import Lease, Leases
from resources.supervision.worker import backoff
from tests.support.instances import STOCK, open_instance

RUN = "run/1234"
# Says that it works, and then does so until it is ended.
WORKING = "import time; print('working', flush=True); time.sleep(60)"
EVENT = "INSERT INTO event_logs (run_id, event, dagster_event_type, timestamp) VALUES ('1234', '{}', %s, now())"


@dg.job
def nothing() -> None:
    """Its runs are all that is asked for."""


@pytest.fixture
def storage(tmp_path, database_url) -> str:
    """A database with the tables of Dagster's storage."""
    with open_instance(tmp_path, database_url, STOCK) as instance:
        instance.get_runs_count()
    return database_url


@pytest.fixture
def leases(storage) -> Leases:
    return Leases(storage)


@pytest.fixture
def supervised(storage, monkeypatch) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `resources.supervision.worker` with a command of Python below it, as the pod of a run does."""
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE", "password": "PGPASSWORD"}
    about = {names[key]: value for key, value in parse_dsn(storage).items()}
    environment = os.environ | about | {"PLATFORM_RUN_ID": "1234", "PLATFORM_RUN_LEASE_SECONDS": "3"}
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
    until(lambda: leases.seen(RUN))


@pytest.mark.parametrize(("code", "expected"), [("raise SystemExit(7)", 7), ("import os; os.abort()", 134)])
def test_it_ends_as_its_worker_does_and_leaves_no_lease(supervised, leases, code, expected) -> None:
    assert supervised(code).wait(30) == expected
    assert leases.seen(RUN) is None


def test_a_signal_to_end_in_order_reaches_the_worker(supervised, leases) -> None:
    orderly = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n" + WORKING
    started = supervised(orderly)
    working(started, leases)
    started.terminate()
    assert started.wait(10) == 5
    assert leases.seen(RUN), "it looks like a worker that ended by its own fault"


def test_an_attempt_waits_longer_the_more_were_lost_before_it_and_not_for_ever() -> None:
    waits = {attempt: [backoff(attempt) for _ in range(200)] for attempt in (0, 3, 4, 7, 100)}
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
    seen = leases.seen(RUN)
    until(lambda: leases.seen(RUN) != seen, 5)
    assert started.poll() is None


def test_a_worker_whose_lease_was_revoked_is_killed_before_it_can_say_anything(supervised, leases) -> None:
    started = supervised("import signal; signal.signal(signal.SIGTERM, lambda *_: print('said'));" + WORKING)
    working(started, leases)
    until(lambda: leases.revoke(RUN, leases.seen(RUN)))
    assert started.wait(5) == 128 + signal.SIGKILL
    said, complaint = started.communicate()
    assert not said
    assert "was revoked" in complaint
    assert leases.seen(RUN), "a revoked lease stays, so that nobody takes it"
    assert not Lease(leases.dsn, RUN, "a second pod of the same run", 3).take()


def test_a_frozen_worker_falls_silent_and_never_wakes_up_once_it_was_given_up(supervised, leases) -> None:
    started = supervised(WORKING)
    working(started, leases)
    (worker,) = below(started)
    os.kill(worker, signal.SIGSTOP)
    time.sleep(1.5)
    seen = leases.seen(RUN)
    time.sleep(2.5)
    assert leases.seen(RUN) == seen, "renewed for a worker that does nothing"
    assert started.poll() is None
    assert leases.revoke(RUN, seen)
    assert started.wait(5) == 128 + signal.SIGKILL, "it waits to be woken up"


def test_a_second_pod_of_one_run_is_ended_and_the_first_works_on(supervised, leases) -> None:
    first = supervised(WORKING)
    working(first, leases)
    assert supervised(WORKING, "second").wait(10) == 1, "its worker began"
    seen = leases.seen(RUN)
    until(lambda: leases.seen(RUN) != seen, 5)
    assert first.poll() is None


def test_a_database_that_is_away_ends_no_worker(supervised, leases, postgres) -> None:
    started = supervised(WORKING)
    working(started, leases)
    name = parse_dsn(leases.dsn)["dbname"]
    with closing(psycopg2.connect(postgres.url("postgres"))) as other, other.cursor() as cursor:
        other.autocommit = True
        cursor.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        with pytest.raises(subprocess.TimeoutExpired):
            started.wait(5)
        cursor.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    seen = Leases(leases.dsn).seen(RUN)
    until(lambda: Leases(leases.dsn).seen(RUN) != seen, 10)


def test_a_lease_that_moved_is_not_revoked_and_one_that_did_not_is_with_those_below_it(leases) -> None:
    run, step, other = (Lease(leases.dsn, name, name, 30) for name in (RUN, f"{RUN}/training", f"{RUN}5"))
    assert [lease.take() for lease in (run, step, other)] == [True] * 3
    seen = leases.seen(RUN)
    assert run.renew()
    assert not leases.revoke(RUN, seen)
    assert run.renew()
    assert leases.revoke(RUN, leases.seen(RUN))
    assert not run.renew()
    assert not step.renew(), "the pod of a step goes with its run"
    assert other.renew()


def test_postgresql_refuses_a_worker_without_a_lease_and_nobody_else(leases) -> None:
    raise_fence(leases)
    raise_fence(leases)  # it stands already
    lease = Lease(leases.dsn, RUN, "pod", 30)

    def write(called: str) -> None:
        with closing(psycopg2.connect(leases.dsn, application_name=called)) as connection, connection:
            connection.cursor().execute(EVENT, [called])

    with pytest.raises(InsufficientPrivilege, match="has no lease any more"):
        write("worker pod")
    assert lease.take()
    write("worker pod")
    with pytest.raises(InsufficientPrivilege):
        write("worker of another run")
    assert leases.revoke(RUN, leases.seen(RUN))
    with pytest.raises(InsufficientPrivilege):
        write("worker pod")
    write("dagster-daemon")
    assert leases.ask("SELECT count(*) FROM event_logs") == 2


def test_a_worker_can_not_turn_a_run_that_others_ended_green(leases, tmp_path) -> None:
    raise_fence(leases)
    assert Lease(leases.dsn, RUN, "pod", 30).take()
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        run = instance.create_run_for_job(nothing).run_id

    def turn(status: str, called: str) -> None:
        with closing(psycopg2.connect(leases.dsn, application_name=called)) as connection, connection:
            connection.cursor().execute("UPDATE runs SET status = %s WHERE run_id = %s", [status, run])

    turn("STARTED", "worker pod")
    turn("FAILURE", "dagster-daemon")
    with pytest.raises(InsufficientPrivilege, match="has ended as FAILURE and stays so"):
        turn("SUCCESS", "worker pod")
    assert leases.ask("SELECT status FROM runs") == "FAILURE"
    turn("CANCELED", "dagster-webserver")


def test_a_run_that_ends_takes_the_leases_of_its_steps_along(leases) -> None:
    run, step, other = (Lease(leases.dsn, name, name, 30) for name in (RUN, f"{RUN}/training", f"{RUN}5"))
    assert [lease.take() for lease in (run, step, other)] == [True] * 3
    run.end()
    assert leases.seen(step.name) is None
    assert not step.renew()
    assert other.renew()


def test_a_revocation_waits_for_what_is_being_written_under_the_lease(leases) -> None:
    raise_fence(leases)
    assert Lease(leases.dsn, RUN, "pod", 30).take()
    with closing(psycopg2.connect(leases.dsn, application_name="worker pod")) as writing, writing.cursor() as cursor:
        cursor.execute(EVENT, ["unfinished"])
        with pytest.raises(psycopg2.errors.QueryCanceled):
            leases.revoke(RUN, leases.seen(RUN))
        writing.commit()
    assert leases.revoke(RUN, leases.seen(RUN))


def test_a_database_without_dagsters_tables_is_refused(database_url) -> None:
    with pytest.raises(NotFenced, match="PGDATABASE"):
        raise_fence(Leases(database_url))
