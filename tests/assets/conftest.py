"""Fixtures of the tier that runs on a real PostgreSQL and a real Dagster instance.

What belongs here: one fixture for each thing that several rooms share. What it is made of lives in `tests/support`.
"""

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import psycopg2
import pytest
from psycopg2 import sql

from resources.machine.embedded_postgres import EmbeddedPostgres, use_postgres
from tests.support.sandbox import Sandbox, open_sandbox


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One server for each test process.

    Not under pytest's folders: they are closed to `nobody`, and closed again whenever another pytest starts.
    """
    with tempfile.TemporaryDirectory() as folder, use_postgres(Path(folder) / "postgres") as server:
        write_without_waiting(server)
        yield server


def write_without_waiting(server: EmbeddedPostgres) -> None:
    """No test is about a machine that crashes with its disks. To drop a database, the server waits for all of them."""
    with closing(psycopg2.connect(server.create_database("postgres"))) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for setting in ("fsync", "full_page_writes"):
            cursor.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        cursor.execute("SELECT pg_reload_conf()")


@pytest.fixture
def database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database of one test's own."""
    name = f"test_{uuid.uuid4().hex}"
    yield postgres.create_database(name)
    with closing(psycopg2.connect(postgres.create_database("postgres"))) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def shared_sandbox(postgres: EmbeddedPostgres) -> Iterator[Sandbox]:
    """The tables of an instance take a second to make, so tests that add only runs of their own share one."""
    with open_sandbox(postgres) as sandbox:
        yield sandbox


@pytest.fixture
def instance(shared_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> dg.DagsterInstance:
    """The shared instance as `local/dagster.yaml` configures it; the environment names it as long as the test runs."""
    for name in ("DAGSTER_HOME", "PLATFORM_HISTORY_URL"):
        monkeypatch.setenv(name, shared_sandbox.environment[name])
    return shared_sandbox.instance


@pytest.fixture
def empty_instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """An instance of one test's own that has no runs and no events, in memory."""
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path_factory.mktemp("instance"))) as instance:
        yield instance


@pytest.fixture(scope="module")
def sandbox(postgres: EmbeddedPostgres) -> Iterator[Sandbox]:
    """What the tests of one file share."""
    with open_sandbox(postgres) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def good_run(sandbox: Sandbox) -> None:
    """Everything was materialized from good loans before anything goes wrong."""
    sandbox.reset()
    assert sandbox.run() == 0


@pytest.fixture
def good_loans(sandbox: Sandbox, good_run: None) -> None:
    """Whatever went wrong in the test before is mended."""
    sandbox.reset()
