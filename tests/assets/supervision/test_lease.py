"""Two that both act under one lease would launch every run twice; none at all would launch none."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn

from resources.supervision.lease import Lease

# Writes its fence, as fast as it can, for as long as it leads.
ACTING = """
import logging, signal, sys
from resources.supervision.leader import lead
from resources.supervision.lease import Lease
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
lease = Lease(sys.argv[1], "acting", sys.argv[2], seconds=1.5)
def act():
    with open(sys.argv[3], "a", buffering=1) as written:
        while True:
            written.write(f"{lease.fence}\\n")
lead(lease, act, margin=0.5, pause=0.1)
"""


@pytest.fixture
def lease(database_url):
    """Makes a lease of a second for somebody."""
    return lambda holder, name="act", seconds=1.0: Lease(database_url, name, holder, seconds)


@pytest.fixture
def leading(database_url):
    """Starts processes that act under one lease."""
    with ExitStack() as stack:

        def start(holder, written):
            leader = stack.enter_context(
                subprocess.Popen([sys.executable, "-c", ACTING, database_url, holder, written])
            )
            stack.callback(leader.kill)
            return leader

        yield start


def test_of_many_holders_at_once_one_takes_the_lease(lease) -> None:
    contenders = [lease(str(number), seconds=30) for number in range(12)]
    with ThreadPoolExecutor(len(contenders)) as pool:
        answers = list(pool.map(Lease.take, contenders))
    assert answers.count(True) == 1
    assert {each.fence for each in contenders} == {0, 1}
    assert lease("late", name="another").take(), "a lease by another name is nobody's"


def test_a_lease_whose_taking_was_not_answered_is_its_holder_s_and_nobody_else_s(lease) -> None:
    assert lease("pod").take()
    again = lease("pod")
    assert not again.take()
    assert again.take_or_renew()
    assert again.renew()
    assert not lease("another").take_or_renew()


def test_it_is_free_at_its_end_and_not_before(lease) -> None:
    first, second = lease("first"), lease("second")
    assert first.take()
    began = time.monotonic()
    while not second.take():
        assert time.monotonic() - began < 5
    assert time.monotonic() - began > 0.9
    assert (first.fence, second.fence) == (1, 2)


def test_a_renewed_one_lasts_and_one_that_was_lost_can_not_be_renewed(lease) -> None:
    first, second = lease("first"), lease("second")
    assert first.take()
    for _ in range(4):
        time.sleep(0.4)
        assert first.renew()
        assert not second.take()
    time.sleep(1.1)
    assert second.take()
    assert not first.renew()
    first.release()
    assert second.renew(), "another's lease was given back"


def test_one_that_is_given_back_is_free_at_once(lease) -> None:
    first, second = lease("first", seconds=60), lease("second", seconds=60)
    assert first.take()
    assert not second.take()
    first.release()
    assert second.take()


def test_a_connection_that_was_cut_is_opened_again(lease, database_url) -> None:
    first = lease("first", seconds=60)
    assert first.take()
    with closing(psycopg2.connect(database_url)) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lease act'")
    with pytest.raises(psycopg2.Error):
        first.renew()
    assert first.renew()


def test_a_database_that_is_away_is_an_error_and_not_a_no() -> None:
    with pytest.raises(psycopg2.OperationalError):
        Lease("host=127.0.0.1 port=1", "act", "somebody").take()


@pytest.mark.parametrize("loss", ["killed", "frozen", "stopped in order"])
def test_the_next_leads_soon_and_the_one_before_never_acts_again(leading, tmp_path, loss) -> None:
    written = tmp_path / "fences"
    first = leading("first", written)
    wait_until(lambda: written.exists() and "1" in written.read_text())
    second = leading("second", written)
    time.sleep(2)
    assert set(written.read_text().split()) == {"1"}, "the one that stands by acted"
    sign = {"killed": signal.SIGKILL, "frozen": signal.SIGSTOP, "stopped in order": signal.SIGTERM}[loss]
    os.kill(first.pid, sign)
    lost = time.monotonic()
    wait_until(lambda: "2" in written.read_text()[-4:])
    assert time.monotonic() - lost < (1 if loss == "stopped in order" else 3)
    os.kill(first.pid, signal.SIGCONT)  # what was frozen wakes up
    assert first.wait(2) == {"killed": -signal.SIGKILL, "frozen": -signal.SIGALRM, "stopped in order": 0}[loss]
    time.sleep(0.3)
    second.kill()
    second.wait()
    fences = written.read_text().split()
    assert fences == sorted(fences), "the old leader acted after the new one had begun"


def test_a_leader_whose_database_is_away_ends_before_its_lease_does(leading, postgres, database_url, tmp_path) -> None:
    written = tmp_path / "fences"
    leader = leading("first", written)
    wait_until(lambda: written.exists() and written.read_text())
    name = parse_dsn(database_url)["dbname"]
    with closing(psycopg2.connect(postgres.create_database("postgres"))) as other, other.cursor() as cursor:
        other.autocommit = True
        cursor.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        began = time.monotonic()
        assert leader.wait(5) == -signal.SIGALRM
        assert time.monotonic() - began < 1.5
        cursor.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def wait_until(there) -> None:
    deadline = time.monotonic() + 20
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.02)
