"""The embedded PostgreSQL starts with its first user, stops with its last, and comes back after every kind of end.

Without these tests a killed `make run` could leave a server that nobody can join or stop, `make run` could stop the
server under the UI, a crash could block the next start until somebody deletes the right file, and loan rows could end
up in a server log.
"""

import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from resources.machine.embedded_postgres import use_postgres
from resources.machine.postgres_programs import PostgresError, find_account

FORKING_USER = """
import os, signal, sys
from pathlib import Path
from resources.machine.embedded_postgres import use_postgres
with use_postgres(Path(sys.argv[1])):
    child = os.fork()
    if not child:
        os.closerange(0, 3)
        signal.pause()
print(child)
"""


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """A data folder whose server is stopped before and after each test."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name) / "postgres"


def ends(process: int, seconds: float = 5) -> bool:
    """Whether the process is gone, or goes in so many seconds; one that nobody has waited for is gone."""
    return bool(select.select([process], [], [], seconds)[0])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_rows_survive_a_stop_and_a_start(data: Path, query: Any) -> None:
    with use_postgres(data) as server:
        query(server.create_database("kept"), "CREATE TABLE kept AS SELECT 42 AS answer")
    with pytest.raises(psycopg2.OperationalError, match="No such file"):
        psycopg2.connect(dbname="kept", host=str(server.sockets), user="postgres")
    with use_postgres(data) as server:
        assert query(server.create_database("kept"), "SELECT answer FROM kept") == 42


def test_the_last_user_stops_the_server_and_nobody_before(data: Path, query: Any, postmaster: Any) -> None:
    with use_postgres(data) as server:
        process = os.pidfd_open(postmaster(data))
        with use_postgres(data):
            pass
        assert query(server.create_database("loans"), "SELECT 1") == 1
        assert not ends(process, seconds=0)
    assert ends(process)
    assert not server.sockets.exists()


def test_users_that_start_at_once_with_other_environments_share_one_server(
    folder: Path, user: Any, postmaster: Any
) -> None:
    data = folder / "postgres"
    environment = {"LC_ALL": "xx_YY", "PGPORT": "1", "PGHOST": "nowhere"}
    users = [user(data, TMPDIR=str(folder / str(number)), **environment) for number in range(3)]
    assert len({one.stdout.readline() for one in users}) == 1
    process = os.pidfd_open(postmaster(data))
    assert [one.communicate() and one.returncode for one in users] == [0, 0, 0]
    assert ends(process)


def test_a_killed_user_leaves_a_server_that_the_next_one_joins_and_stops(
    data: Path, user: Any, query: Any, postmaster: Any
) -> None:
    killed = user(data)
    url = killed.stdout.readline().strip()
    killed.kill()
    killed.wait()
    process = os.pidfd_open(postmaster(data))
    with use_postgres(data) as server:
        assert server.create_database("loans") == url
        assert query(url, "SELECT 1") == 1
        assert not ends(process, seconds=0)
    assert ends(process)


def test_a_forked_child_that_outlives_its_user_keeps_nobody_out(data: Path, query: Any) -> None:
    child = int(subprocess.run([sys.executable, "-c", FORKING_USER, data], stdout=subprocess.PIPE, check=True).stdout)
    try:
        with use_postgres(data) as server:
            assert query(server.create_database("loans"), "SELECT 1") == 1
        assert not server.sockets.exists()
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_crash_costs_no_committed_row_and_blocks_no_start(data: Path, user: Any, query: Any, postmaster: Any) -> None:
    killed = user(data)
    url = killed.stdout.readline().strip()
    query(url, "CREATE TABLE crashed AS SELECT 42 AS answer")
    number = postmaster(data)
    killed.kill()
    os.kill(number, signal.SIGKILL)
    uid, gid = find_account()
    as_server = {"user": uid, "group": gid, "extra_groups": []} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "600"], **as_server) as other, ExitStack() as end:
        end.callback(other.kill)
        # As after a reboot: the number that the server left behind is now that of another process of the same user.
        left = (data / "postmaster.pid").read_text()
        (data / "postmaster.pid").write_text(left.replace(str(number), str(other.pid), 1))
        with use_postgres(data):
            assert query(url, "SELECT answer FROM crashed") == 42
            assert postmaster(data) not in (number, other.pid)
        assert other.poll() is None


def test_a_data_folder_that_is_killed_in_the_making_is_made_anew(folder: Path, user: Any, query: Any) -> None:
    making = folder / "postgres.making"
    killed = user(folder / "postgres")
    until((making / "PG_VERSION").exists)
    killed.kill()
    killed.wait()
    assert not (folder / "postgres").exists()
    with use_postgres(folder / "postgres") as server:
        assert query(server.create_database("loans"), "SELECT 1") == 1
    assert not making.exists()


def test_a_server_that_does_not_start_says_why_and_starts_once_that_is_mended(data: Path, query: Any) -> None:
    with use_postgres(data):
        version = (data / "PG_VERSION").read_text()
    (data / "PG_VERSION").write_text("17\n")
    with pytest.raises(PostgresError, match="database files are incompatible"), use_postgres(data):
        pass
    (data / "PG_VERSION").write_text(version)
    with use_postgres(data) as server:
        assert query(server.create_database("loans"), "SELECT 1") == 1


def test_no_row_gets_into_the_server_log(data: Path, query: Any) -> None:
    with use_postgres(data) as server:
        url = server.create_database("loans")
        query(url, "CREATE TABLE loans (income int CHECK (income < 9))")
        with pytest.raises(psycopg2.errors.CheckViolation, match="471147"):
            query(url, "INSERT INTO loans VALUES (471147)")
        with pytest.raises(psycopg2.errors.InvalidTextRepresentation, match="471148x"):
            query(url, "INSERT INTO loans VALUES ('471148x')")
        with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 471149")
            os.kill(connection.info.backend_pid, signal.SIGKILL)
        recovered = r"(?s)signal 9.*ready to accept connections"
        until(lambda: re.search(recovered, (data / "server.log").read_text()) is not None)
    assert "4711" not in (data / "server.log").read_text()
