"""Fixtures of the whole pipeline: a seeded loans table, and a refresh of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dagster as dg
import psycopg2
import pytest
from psycopg2.extensions import connection

from credit_assets.definitions import build_defs
from credit_assets.jobs import REFRESH
from credit_assets.loans.seed import seed
from credit_assets.settings.file import load_settings
from resources.deployment import Deployment
from tests.support.settings import write_loans_settings


@dataclass(frozen=True)
class Refreshed:
    """What a run left in the event log."""

    run: dg.ExecuteInProcessResult

    @property
    def assets(self) -> list[str]:
        return [
            event.materialization.asset_key.to_user_string() for event in self.run.get_asset_materialization_events()
        ]

    def logged(self, asset: str, name: str) -> Any:
        (event,) = [
            event
            for event in self.run.get_asset_materialization_events()
            if event.materialization.asset_key == dg.AssetKey(asset)
        ]
        return event.materialization.metadata[name].value

    def stored(self, asset: str) -> Path:
        return Path(unquote(urlsplit(self.logged(asset, "path")).path))

    def digests(self) -> dict[str, str]:
        return {asset: self.logged(asset, "sha256") for asset in self.assets if asset != "promoted_model"}

    def events(self, kind: dg.DagsterEventType) -> Sequence[dg.DagsterEvent]:
        return [event for event in self.run.all_events if event.event_type == kind]


@pytest.fixture
def lending(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[connection]:
    """A seeded loans table of 2,000 rows, a store of its own, and the environment that names them."""
    settings = write_loans_settings(tmp_path / "loans.toml", rows=2_000)
    monkeypatch.setenv("PLATFORM_SETTINGS", str(settings))
    monkeypatch.setenv("PLATFORM_DATABASE_URL", database_url)
    monkeypatch.setenv("PLATFORM_STORE", (tmp_path / "store").as_uri())
    with psycopg2.connect(database_url) as db:
        with db.cursor() as cursor:
            seed(cursor, load_settings(settings))
        db.commit()
        yield db
    db.close()


@pytest.fixture
def refresh(lending: connection, instance: dg.DagsterInstance) -> Callable[..., Refreshed]:
    """Runs the job, or the named assets of it, in this process."""

    def run(*assets: str, config: dict | None = None, raise_on_error: bool = True) -> Refreshed:
        return Refreshed(
            build_defs(Deployment.from_environment())
            .resolve_job_def(REFRESH)
            .execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey(asset) for asset in assets] or None,
                run_config={"ops": config} if config else None,
                raise_on_error=raise_on_error,
            )
        )

    return run
