"""Fixtures of the tier that runs on a real PostgreSQL and a real Dagster instance."""

import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg2
import pytest
from psycopg2 import sql

from credit_assets.cli import main
from resources.embedded_postgres import EmbeddedPostgres, embedded_postgres

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One server for each test process.

    Not under pytest's folders: they are closed to `nobody`, and closed again whenever another pytest starts.
    """
    with tempfile.TemporaryDirectory() as folder, embedded_postgres(Path(folder) / "postgres") as server:
        yield server


@pytest.fixture
def database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database of one test's own."""
    name = f"test_{uuid.uuid4().hex}"
    yield postgres.url(name)
    with closing(psycopg2.connect(postgres.url("postgres"))) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def instance(postgres: EmbeddedPostgres) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance as `local/dagster.yaml` configures it; its tables take a second to make, so tests share it."""
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as environment:
        shutil.copy(REPOSITORY / "local" / "dagster.yaml", home)
        environment.setenv("DAGSTER_HOME", home)
        environment.setenv("DAGSTER_POSTGRES_URL", postgres.url("dagster"))
        with dg.DagsterInstance.from_config(home) as instance:
            yield instance


@dataclass(frozen=True)
class Checkout:
    """A folder to run the command in, on the tests' server, with loans, an event log and a store of its own."""

    folder: Path
    environment: Mapping[str, str]
    instance: dg.DagsterInstance

    @property
    def settings(self) -> Path:
        return self.folder / "settings.toml"

    @property
    def store(self) -> Path:
        return self.folder / "local" / "store"

    @contextmanager
    def entered(self, **changed: str) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            for name, value in {**self.environment, **changed}.items():
                patch.setenv(name, value)
            yield

    def run(self, **changed: str) -> int:
        """`make run` in this process: its exit code."""
        with self.entered(**changed):
            return main(["run", "--settings", str(self.settings)])

    def start(self, *module: str, **changed: str) -> subprocess.CompletedProcess[str]:
        """Runs a module in a process of its own."""
        environment = {**os.environ, **self.environment, **changed}
        command = [sys.executable, "-m", *module]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)

    def execute(self, statements: str) -> list[tuple[Any, ...]]:
        """Runs SQL on the loans database."""
        with (
            closing(psycopg2.connect(self.environment["LOANS_DATABASE_URL"])) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statements)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def checkout(postgres: EmbeddedPostgres) -> Iterator[Checkout]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, own = Path(name).resolve(), uuid.uuid4().hex
        local = folder / "local"
        local.mkdir()
        shutil.copy(REPOSITORY / "local" / "dagster.yaml", local)
        (local / "postgres").symlink_to(postgres.data)
        environment = {
            "DAGSTER_HOME": str(local),
            "DAGSTER_POSTGRES_URL": postgres.url(f"dagster_{own}"),
            "LOANS_DATABASE_URL": postgres.url(f"lending_{own}"),
            "CREDIT_SETTINGS": str(folder / "settings.toml"),
            "CREDIT_STORE": (local / "store").as_uri(),
        }
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("DAGSTER_POSTGRES_URL", environment["DAGSTER_POSTGRES_URL"])
        yield Checkout(folder, environment, stack.enter_context(dg.DagsterInstance.from_config(str(local))))
