"""Fixtures of the tier that runs on a real PostgreSQL and a real Dagster instance."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg
import psycopg2
import pytest
from psycopg2 import sql

from credit_assets.commands.main import main
from resources.machine.embedded_postgres import EmbeddedPostgres, embedded_postgres
from resources.store.checkpoints import Checkpoints
from resources.store.formats import FORMATS

REPOSITORY = Path(__file__).parents[2]
STEPS = {
    "loan_dataset": ["loan_dataset"],
    "training": ["test_split", "trained_model"],
    "model_metrics": ["model_metrics"],
    "promoted_model": ["promoted_model"],
}
SETTINGS = """
[table]
name = "loans"
[target]
column = "default_status"
[features]
loan_amount = { type = "number", minimum = 0, maximum = 100_000 }
income = { type = "number", minimum = 0, maximum = 100_000 }
credit_score = { type = "integer", minimum = 300, maximum = 850 }
purpose = { type = "category" }
[personal]
age = { type = "integer", minimum = 18, maximum = 120, bands = [40] }
[limits]
minimum_rows = 100
"""
LOANS = """
DROP TABLE IF EXISTS loans;
CREATE TABLE loans (
    id integer, created_at timestamp, default_status integer,
    loan_amount numeric, income numeric, credit_score integer, purpose text, age integer
);
INSERT INTO loans
SELECT g, timestamp '2024-01-01' + g * interval '1 hour', (g % 4 = 0)::int,
    1000 + g * 7919 % 9000, 20000 + g * 104729 % 50000, 600 + g * 37 % 200 - 120 * (g % 4 = 0)::int,
    (array['car', 'house', 'boat'])[1 + g % 3], 18 + g % 60
FROM generate_series(1, 300) AS g;
"""


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
class State:
    """What a failed run must leave alone: the latest materializations, the files of the store, the loans."""

    latest: Mapping[str, str]
    files: Mapping[str, str]
    loans: list[tuple[str]]


@dataclass(frozen=True)
class Log:
    """The event log of one run."""

    entries: list[dg.EventLogEntry]

    def of(self, kind: dg.DagsterEventType) -> list[dg.DagsterEvent]:
        return [event for each in self.entries if (event := each.dagster_event) and event.event_type is kind]

    def stopped_at(self, blocked: str) -> None:
        """Asserts that this step failed, those after it were left out, and nothing of them was materialized."""
        place = list(STEPS).index(blocked)
        started, left_out = list(STEPS)[: place + 1], list(STEPS)[place + 1 :]
        assert [event.step_key for event in self.of(dg.DagsterEventType.STEP_START)] == started
        assert [event.step_key for event in self.of(dg.DagsterEventType.STEP_FAILURE)] == [blocked]
        assert [each.step_key for each in self.entries if each.user_message.endswith("Not executing.")] == left_out
        materialized = {event.asset_key for event in self.of(dg.DagsterEventType.ASSET_MATERIALIZATION)}
        assert materialized.isdisjoint(dg.AssetKey(STEPS[step][-1]) for step in [blocked, *left_out])

    def failed_checks(self) -> dict[str, str]:
        """Name and description of the checks that failed."""
        evaluations = [
            event.asset_check_evaluation_data for event in self.of(dg.DagsterEventType.ASSET_CHECK_EVALUATION)
        ]
        assert all(each.blocking for each in evaluations)
        return {each.check_name: str(each.description) for each in evaluations if not each.passed}


@dataclass(frozen=True)
class Checkout:
    """A folder to run the command in, on the tests' server, with loans, an event log and a store of its own."""

    folder: Path
    environment: dict[str, str]
    instance: dg.DagsterInstance
    good_settings: ClassVar[str] = SETTINGS
    good_loans: ClassVar[str] = LOANS

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

    def start(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Python in a process of its own."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    def execute(self, statements: str) -> list[tuple[Any, ...]]:
        """Runs SQL on the loans database."""
        with (
            closing(psycopg2.connect(self.environment["LOANS_DATABASE_URL"])) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statements)
            return cursor.fetchall() if cursor.description else []

    @staticmethod
    def one_error(said: str, *expected: str) -> None:
        """Asserts that one error was printed, in one line, with these words in it."""
        assert "Traceback" not in said
        (error,) = re.findall(r"^error: (.*)$", said, re.MULTILINE)
        for words in expected:
            assert words in error

    @staticmethod
    def files(folder: Path) -> dict[str, str]:
        """Every file below a folder, with its digest."""
        return {
            str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob("*")
            if path.is_file()
        }

    def reset(self) -> None:
        """Good settings, and 300 good loans."""
        self.settings.write_text(SETTINGS)
        self.execute(LOANS)

    def log(self, said: str) -> Log:
        """The log of the run that an error message names."""
        (run,) = re.findall(r"^run (\S+) failed", said, re.MULTILINE)
        return Log([record.event_log_entry for record in self.instance.get_records_for_run(run).records])

    def latest(self, asset: str, name: str | None = None) -> str:
        """The run of the latest materialization, or some of its metadata."""
        event = self.instance.get_latest_materialization_event(dg.AssetKey(asset))
        assert event is not None
        assert event.asset_materialization is not None
        return str(event.asset_materialization.metadata[name].value) if name else event.run_id

    def state(self) -> State:
        latest = {asset: self.latest(asset) for assets in STEPS.values() for asset in assets}
        ((there,),) = self.execute("SELECT to_regclass('loans') IS NOT NULL")
        loans = (
            self.execute("SELECT md5(string_agg(loans::text, ',' ORDER BY loans::text)) FROM loans") if there else []
        )
        return State(latest, self.files(self.store), loans)

    def latest_load(self) -> None:
        """Asserts that every latest materialization can be read, down to its bytes."""
        checkpoints = Checkpoints(store_uri=self.environment["CREDIT_STORE"])
        formats = {
            "loan_dataset": "parquet",
            "test_split": "parquet",
            "trained_model": "joblib",
            "model_metrics": "report",
        }
        for asset, name in formats.items():
            place, sha256 = (self.latest(asset, f"checkpoint/{part}") for part in ("place", "manifest_sha256"))
            assert checkpoints.logged(place, sha256, FORMATS[name]).sha256 == self.latest(asset, "sha256")


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
        with closing(psycopg2.connect(environment["LOANS_DATABASE_URL"])) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            # Nothing here outlives a crash of the machine, and a run waits for about a hundred commits.
            cursor.execute(f"ALTER DATABASE dagster_{own} SET synchronous_commit = off")
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("DAGSTER_POSTGRES_URL", environment["DAGSTER_POSTGRES_URL"])
        yield Checkout(folder, environment, stack.enter_context(dg.DagsterInstance.from_config(str(local))))


@pytest.fixture(scope="module")
def good_run(checkout: Checkout) -> None:
    """Everything was materialized from good loans before anything goes wrong."""
    checkout.reset()
    assert checkout.run() == 0


@pytest.fixture
def good_loans(checkout: Checkout, good_run: None) -> None:
    """Whatever went wrong in the test before is mended."""
    checkout.reset()
