"""A replica that is read: it ends a reader that keeps it from following its primary, and nobody can write to it.

Without these tests a run that met such a moment stays failed until a person looks, and scores that go to a replica fail
in words that do not name the mistake.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from resources.machine.embedded_postgres import EmbeddedPostgres, use_postgres
from resources.machine.postgres_programs import find_account, run_program
from resources.services.database import Database, DatabaseAway, DatabaseError

TABLES = """
DROP TABLE IF EXISTS rows CASCADE;
CREATE TABLE rows AS SELECT g AS id FROM generate_series(1, 60) AS g;
CREATE VIEW slow AS SELECT rows.* FROM rows, LATERAL (SELECT pg_sleep(0.05) WHERE rows.id > 0) AS s;
"""
READ = "SELECT count(*) FROM slow"


def execute(url: str, *statements: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def replica(postgres: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """A second server, which follows the one of the tests and waits 200 ms for a reader."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "replica")
        folder.mkdir(0o700)
        Path(name).chmod(0o711)
        os.chown(folder, *find_account())
        source = ("-h", str(postgres.sockets), "-p", "5432", "-U", "postgres")
        run_program(folder, "pg_basebackup", *source, "-D", ".", "-R", "--checkpoint=fast", "--no-sync")
        with (folder / "postgresql.auto.conf").open("a") as settings:
            settings.write("max_standby_streaming_delay = 200ms\n")
        with use_postgres(folder) as server:
            yield server


def wait_for(replica: str, primary: str) -> None:
    """Until the replica has all that its primary has written."""
    ((position,),) = execute(primary, "SELECT pg_current_wal_lsn()")
    deadline = time.monotonic() + 30
    while execute(replica, f"SELECT pg_last_wal_replay_lsn() < '{position}'") != [(False,)]:
        assert time.monotonic() < deadline, "the replica does not follow"
        time.sleep(0.05)


def read(url: str) -> int:
    with Database(url=url).open_snapshot() as cursor:
        cursor.execute(READ)
        (rows,) = cursor.fetchone() or (0,)
        return rows


def test_a_reader_that_a_replica_stopped_is_repeated_like_one_whose_database_was_away(
    postgres: EmbeddedPostgres, replica: EmbeddedPostgres
) -> None:
    primary, url = postgres.create_database("postgres"), f"postgresql://postgres@/postgres?host={replica.sockets}"
    execute(primary, TABLES)
    wait_for(url, primary)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read, url)
        time.sleep(0.3)
        execute(primary, "UPDATE rows SET id = id", "VACUUM rows")
        with pytest.raises(DatabaseAway) as stopped:
            reading.result()
    assert str(stopped.value).startswith(
        "the replica of PLATFORM_DATABASE_URL stopped the reading, to follow its primary (SerializationFailure, "
        "SQLSTATE 40001: canceling statement due to conflict with recovery). Another attempt may succeed. "
    )
    assert read(url) == 60


def test_a_replica_is_refused_at_once_where_something_is_written(
    postgres: EmbeddedPostgres, replica: EmbeddedPostgres
) -> None:
    scores = Database(url=f"postgresql://postgres@/postgres?host={replica.sockets}", setting="PLATFORM_SCORES_URL")
    said = r"^PLATFORM_SCORES_URL names a replica, .*: name the primary"
    with pytest.raises(DatabaseError, match=said) as refused, scores.open_transaction() as cursor:
        cursor.execute("CREATE TABLE scores ()")
    assert not isinstance(refused.value, DatabaseAway), "it would be waited for"


def test_a_conflict_between_two_who_write_is_no_replica_and_is_shown_in_postgresqls_words(database_url: str) -> None:
    said, database = r"SQLSTATE 40001: could not serialize\)", Database(url=database_url)
    with pytest.raises(DatabaseError, match=said) as failed, database.open_transaction() as cursor:
        cursor.execute("DO $$ BEGIN RAISE 'could not serialize' USING ERRCODE = '40001'; END $$")
    assert not isinstance(failed.value, DatabaseAway)
