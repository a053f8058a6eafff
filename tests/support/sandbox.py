"""One place for a test to work in: a folder, databases, a Dagster instance, a store, settings and loans of its own.

The environment of a program that works there is written down in `environment`, and nowhere else in the tests.
"""

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
from typing import Any

import dagster as dg
import psycopg2
import pytest

from credit_assets.commands.main import main
from resources.machine.embedded_postgres import EmbeddedPostgres
from resources.store.checkpoints import Checkpoints
from resources.store.formats import FORMATS
from tests.support.run_log import STEPS, RunLog
from tests.support.settings import REPOSITORY, settings_text

GOOD_SETTINGS = settings_text(
    features="""
loan_amount = { type = "number", minimum = 0, maximum = 100_000 }
income = { type = "number", minimum = 0, maximum = 100_000 }
credit_score = { type = "integer", minimum = 300, maximum = 850 }
purpose = { type = "category" }
""",
    personal="age = { type = 'integer', minimum = 18, maximum = 120, bands = [40] }",
)
GOOD_LOANS = """
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
ARTIFACT_FORMATS = {
    "loan_dataset": "parquet",
    "test_split": "parquet",
    "trained_model": "joblib",
    "model_metrics": "report",
    "benchmark": "report",
}


@dataclass(frozen=True)
class State:
    """What a failed run must leave alone: the latest materializations, the files of the store, the loans."""

    latest: Mapping[str, str]
    files: Mapping[str, str]
    loans: list[tuple[str]]


@dataclass(frozen=True)
class Sandbox:
    """A folder to run the command in, on the tests' server, with loans, an event log and a store of its own."""

    folder: Path
    environment: dict[str, str]
    instance: dg.DagsterInstance

    @property
    def settings(self) -> Path:
        return self.folder / "settings.toml"

    @property
    def store(self) -> Path:
        return self.folder / "local" / "store"

    @contextmanager
    def entered(self, **changed: str) -> Iterator[None]:
        """The folder is the working directory and its environment is this process's, with these changes."""
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
        """Python in a process of its own, until it ends."""
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
        """Runs SQL on the loans database; the rows that it returns."""
        with (
            closing(psycopg2.connect(self.environment["PLATFORM_DATABASE_URL"])) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statements)
            return cursor.fetchall() if cursor.description else []

    def reset(self) -> None:
        """Good settings, and 300 good loans."""
        self.settings.write_text(GOOD_SETTINGS)
        self.execute(GOOD_LOANS)

    def log(self, printed: str) -> RunLog:
        """The log of the run that a printed error names."""
        (run,) = re.findall(r"^run (\S+) failed", printed, re.MULTILINE)
        return RunLog([record.event_log_entry for record in self.instance.get_records_for_run(run).records])

    def latest(self, asset: str, metadata: str | None = None) -> str:
        """The run of the latest materialization, or the value of one of its metadata entries."""
        event = self.instance.get_latest_materialization_event(dg.AssetKey(asset))
        assert event is not None
        assert event.asset_materialization is not None
        return str(event.asset_materialization.metadata[metadata].value) if metadata else event.run_id

    def state(self) -> State:
        latest = {asset: self.latest(asset) for assets in STEPS.values() for asset in assets}
        ((there,),) = self.execute("SELECT to_regclass('loans') IS NOT NULL")
        loans = (
            self.execute("SELECT md5(string_agg(loans::text, ',' ORDER BY loans::text)) FROM loans") if there else []
        )
        return State(latest, file_digests(self.store), loans)

    def assert_latest_artifacts_load(self) -> None:
        """Every latest materialization can be read, down to its bytes."""
        checkpoints = Checkpoints(store_uri=self.environment["PLATFORM_STORE"])
        for asset, name in ARTIFACT_FORMATS.items():
            place, sha256 = (self.latest(asset, f"checkpoint/{part}") for part in ("place", "manifest_sha256"))
            assert checkpoints.logged(place, sha256, FORMATS[name]).sha256 == self.latest(asset, "sha256")


def file_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@contextmanager
def open_sandbox(postgres: EmbeddedPostgres) -> Iterator[Sandbox]:
    """A new sandbox on this server. Its instance is configured by `local/dagster.yaml`; there are no loans yet.

    Not under pytest's own folders: the user that runs PostgreSQL can't enter those.
    """
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, own = Path(name).resolve(), uuid.uuid4().hex
        local = folder / "local"
        local.mkdir()
        shutil.copy(REPOSITORY / "local" / "dagster.yaml", local)
        (local / "postgres").symlink_to(postgres.data)
        environment = {
            "DAGSTER_HOME": str(local),
            "PLATFORM_HISTORY_URL": postgres.create_database(f"dagster_{own}"),
            "PLATFORM_DATABASE_URL": postgres.create_database(f"lending_{own}"),
            "PLATFORM_SETTINGS": str(folder / "settings.toml"),
            "PLATFORM_STORE": (local / "store").as_uri(),
        }
        with (
            closing(psycopg2.connect(environment["PLATFORM_DATABASE_URL"])) as connection,
            connection.cursor() as cursor,
        ):
            connection.autocommit = True
            # No test is about a machine that crashes with its disks, and a run waits for about a hundred commits.
            cursor.execute(f"ALTER DATABASE dagster_{own} SET synchronous_commit = off")
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        # The instance reads this variable when it is opened.
        patch.setenv("PLATFORM_HISTORY_URL", environment["PLATFORM_HISTORY_URL"])
        opened = stack.enter_context(dg.DagsterInstance.from_config(str(local)))
        patch.undo()
        yield Sandbox(folder, environment, opened)
