"""A restore that leaves half of a database behind, or runs under a control plane that writes, loses what was left.

The chart's scripts run here as they are, with the embedded PostgreSQL's programs in the place of the image's.
"""

import os
import subprocess
import time
import uuid
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from resources.machine.postgres_programs import find_programs

SCRIPTS = Path(__file__).parents[3] / "helm" / "credit-platform" / "files"


class Server:
    """The tests' server, through the scripts, with two databases of one test's own."""

    def __init__(self, postgres, folder: Path) -> None:
        own = uuid.uuid4().hex[:8]
        self.postgres, self.folder = postgres, folder
        self.dagster, self.lending = f"Dagster-{own}", f"lending_{own}"

    def execute(self, statements: str, database: str = "postgres"):
        host = self.postgres.sockets
        with closing(psycopg2.connect(host=str(host), port=5432, user="postgres", dbname=database)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statements)
                return cursor.fetchall() if cursor.description else []

    def databases(self) -> set[str]:
        own = self.lending.removeprefix("lending_")
        return {name for (name,) in self.execute("SELECT datname FROM pg_database") if own in name}

    def script(self, name: str, *arguments: str, before_path: str = "") -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "PATH": f"{before_path}{find_programs()}:{os.environ['PATH']}",
            "PGHOST": str(self.postgres.sockets),
            "PGUSER": "postgres",
            "WATCH_SECONDS": "0.3",
        }
        command = ["bash", str(SCRIPTS / name), str(self.folder), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def dump(self) -> subprocess.CompletedProcess[str]:
        return self.script("dump.sh", self.dagster, self.lending)

    def restore(self, **more: str) -> subprocess.CompletedProcess[str]:
        """Restores, once the server has noticed that the test's own connections have ended."""
        ended = "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname IN ('{}', '{}') AND application_name = ''"
        while self.execute(ended.format(self.dagster, self.lending)) != [(True,)]:
            time.sleep(0.01)
        return self.script("restore.sh", **more)

    def loans(self) -> list[tuple[str, int]]:
        return self.execute("SELECT name, income FROM loans ORDER BY name", self.lending)


@pytest.fixture
def server(postgres, tmp_path):
    server = Server(postgres, tmp_path)
    for name in (server.dagster, server.lending):
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    server.execute("CREATE TABLE runs (id int); INSERT INTO runs VALUES (1)", server.dagster)
    server.execute("CREATE TABLE loans (name text, income int); INSERT INTO loans VALUES ('Ada', 1)", server.lending)
    yield server
    for name in server.databases():
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_databases_come_back_as_they_were_and_what_was_there_stays_beside_them(server) -> None:
    assert server.dump().returncode == 0
    server.execute("INSERT INTO loans VALUES ('Bob', 2); CREATE TABLE later (id int)", server.lending)
    done = server.restore()
    assert done.returncode == 0, done.stderr
    assert server.loans() == [("Ada", 1)]
    assert server.execute("SELECT to_regclass('later')", server.lending) == [(None,)], "no table of later stays"
    assert server.execute("SELECT count(*) FROM loans", f"{server.lending}_replaced") == [(2,)]
    assert server.databases() == {
        server.dagster, server.lending, f"{server.dagster}_replaced", f"{server.lending}_replaced"
    }  # fmt: skip
    assert server.restore().returncode == 0, "once more"


def test_databases_that_are_not_there_are_made(server) -> None:
    assert server.dump().returncode == 0
    for name in (server.dagster, server.lending):
        server.execute(f'DROP DATABASE "{name}"')
    done = server.restore()
    assert done.returncode == 0, done.stderr
    assert server.loans() == [("Ada", 1)]
    assert server.databases() == {server.dagster, server.lending}


def test_a_restore_under_a_connected_control_plane_is_refused_and_changes_nothing(server) -> None:
    assert server.dump().returncode == 0
    server.execute("INSERT INTO loans VALUES ('Bob', 2)", server.lending)
    connection = psycopg2.connect(
        host=str(server.postgres.sockets), user="postgres", dbname=server.dagster, application_name="the daemon"
    )
    with closing(connection):
        done = server.restore()
    assert done.returncode != 0
    assert f"{server.dagster} by the daemon" in done.stderr
    assert "Stop the control plane and the runs first" in done.stderr
    assert len(server.loans()) == 2
    assert server.databases() == {server.dagster, server.lending}


def test_a_connection_that_came_and_went_between_two_checks_is_counted(server, tmp_path) -> None:
    assert server.dump().returncode == 0
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "sleep").write_text(f"#!/bin/bash\npsql -qd {server.lending} -c 'SELECT 1'\n/bin/sleep 1\n")
    (programs / "sleep").chmod(0o755)
    done = server.restore(before_path=f"{programs}:")
    assert done.returncode != 0
    assert "are in use (1 connections in" in done.stderr
    assert "now: none" in done.stderr


@pytest.mark.parametrize("damage", [lambda dump: dump[: len(dump) // 2], lambda dump: b""], ids=["torn", "empty"])
def test_a_dump_that_can_not_be_read_changes_nothing_not_even_the_other_database(server, damage) -> None:
    assert server.dump().returncode == 0
    server.execute("INSERT INTO runs VALUES (2)", server.dagster)
    dump = server.folder / f"{server.lending}.dump"
    dump.write_bytes(damage(dump.read_bytes()))
    done = server.restore()
    assert done.returncode != 0
    assert "pg_restore: error:" in done.stderr
    assert server.execute("SELECT count(*) FROM runs", server.dagster) == [(2,)]
    assert server.loans() == [("Ada", 1)]


def test_a_restore_that_fails_keeps_what_the_last_one_replaced_and_the_next_one_removes_its_remains(server) -> None:
    assert server.dump().returncode == 0
    server.execute("INSERT INTO loans VALUES ('Bob', 2)", server.lending)
    assert server.restore().returncode == 0
    dump = server.folder / f"{server.lending}.dump"
    whole = dump.read_bytes()
    dump.write_bytes(whole[: len(whole) // 2])
    assert server.restore().returncode != 0
    assert server.execute("SELECT count(*) FROM loans", f"{server.lending}_replaced") == [(2,)], "the way back is there"
    kept = {f"{name}{after}" for name in (server.dagster, server.lending) for after in ("", "_replaced")}
    assert kept <= server.databases()
    assert server.databases() - kept <= {f"{server.dagster}_restoring", f"{server.lending}_restoring"}
    dump.write_bytes(whole)
    done = server.restore()
    assert done.returncode == 0, done.stderr
    assert server.databases() == kept
    assert server.execute("SELECT count(*) FROM loans", f"{server.lending}_replaced") == [(1,)]


def test_no_dump_at_all_is_an_error_of_its_own(server) -> None:
    done = server.restore()
    assert done.returncode != 0
    assert "has no dump to restore" in done.stderr


def test_a_row_that_is_refused_is_neither_printed_nor_logged(server) -> None:
    accept = "CREATE OR REPLACE FUNCTION public.fits(text) RETURNS bool LANGUAGE sql AS 'SELECT {}'; "
    server.execute(
        accept.format("true") + "ALTER TABLE loans ADD CHECK (public.fits(name)); " + accept.format("false"),
        server.lending,
    )
    assert server.dump().returncode == 0
    # As PostgreSQL logs by itself, and the release's does; the tests' own server would log no error.
    by_itself = {"log_min_messages": "warning", "log_error_verbosity": "default"}
    for name, value in by_itself.items():
        server.execute(f"ALTER ROLE postgres SET {name} = '{value}'")
    done = server.restore()
    for name in by_itself:
        server.execute(f"ALTER ROLE postgres RESET {name}")
    assert done.returncode != 0
    assert 'COPY failed for table "loans"' in done.stderr
    log = (server.postgres.data / "server.log").read_text()
    assert "Ada" not in done.stdout + done.stderr + log
    assert server.loans() == [("Ada", 1)]


def test_a_database_that_came_up_empty_is_not_backed_up(server) -> None:
    server.execute("DELETE FROM runs", server.dagster)
    empty = server.dump()
    assert empty.returncode != 0
    assert "is empty: it has no run. If it was lost, restore it" in empty.stderr
    server.execute("DROP TABLE runs", server.dagster)
    missing = server.dump()
    assert missing.returncode != 0
    assert 'relation "runs" does not exist' in missing.stderr
    assert not list(server.folder.glob("*.dump"))


def test_a_database_that_is_missing_or_away_is_no_backup(server, monkeypatch) -> None:
    server.execute(f'DROP DATABASE "{server.lending}"')
    missing = server.dump()
    assert missing.returncode != 0
    assert f'database "{server.lending}" does not exist' in missing.stderr
    away = subprocess.run(
        ["bash", str(SCRIPTS / "dump.sh"), str(server.folder), server.dagster],
        env={"PATH": f"{find_programs()}:{os.environ['PATH']}", "PGHOST": "/nowhere", "PGUSER": "postgres"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert away.returncode != 0
    assert "/nowhere" in away.stderr
