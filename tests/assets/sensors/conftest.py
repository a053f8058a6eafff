"""The loans table that the sensors read: one of each test's own."""

from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg2
import pytest

from credit_assets.loan_dataset import loan_dataset
from credit_assets.loans.seed import create_table_sql
from credit_assets.settings.file import SettingsFile, load_settings
from resources.services.database import Database
from resources.store.checkpoints import Checkpoints
from resources.store.io_manager import CheckpointIOManager
from sensors.new_loans import new_loans
from tests.support.settings import settings_text

SETTINGS = settings_text(features="income = { type = 'number' }", minimum_rows=50) + (
    "[refresh]\nnew_loans = 10\nnew_loans_share = 0.25\n"
)


class Lending:
    """The loans table of one test, and the resources that name it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.settings_path = url, folder / "settings.toml"
        self.settings_path.write_text(SETTINGS)
        self.execute(create_table_sql(load_settings(self.settings_path)))
        checkpoints = Checkpoints(store_uri=(folder / "store").as_uri())
        self.resources: dict[str, Any] = {
            "settings": SettingsFile(path=str(self.settings_path)),
            "database": Database(url=url),
            "checkpoints": checkpoints,
            "checkpoint_io": CheckpointIOManager(checkpoints=checkpoints),
        }

    def execute(self, statement: str) -> None:
        with closing(psycopg2.connect(self.url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement)

    def arrive(self, loans: int) -> None:
        self.execute(
            f"INSERT INTO loans (income, default_status) SELECT n, n % 2 FROM generate_series(1, {loans}) AS n"
        )

    def materialize(self, instance: dg.DagsterInstance, **tags: str) -> dg.ExecuteInProcessResult:
        return dg.materialize(
            [loan_dataset], instance=instance, resources=self.resources, tags=tags, raise_on_error=False
        )

    def tick(self, instance: dg.DagsterInstance, cursor: str | None, **other: Any) -> Any:
        """What the daemon gets from one evaluation of `new_loans`."""
        named = {name: {**self.resources, **other}[name] for name in ("settings", "database")}
        with dg.build_sensor_context(instance=instance, cursor=cursor, resources=named) as context:
            return new_loans.evaluate_tick(context)


@pytest.fixture
def lending(database_url: str, tmp_path: Path) -> Lending:
    return Lending(database_url, tmp_path)
