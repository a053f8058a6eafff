"""One machine: the embedded PostgreSQL, the instance, the store and the seed, all under `local/`."""

import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from credit_assets.loans.seed import seed
from credit_assets.settings import Settings, SettingsError, load_settings
from resources.machine.embedded_postgres import EmbeddedPostgres, embedded_postgres
from resources.services.database import SETTING, connect

HOME = Path("local")


@contextmanager
def local_platform(settings_path: Path) -> Iterator[None]:
    """Sets the environment that the definitions read, for as long as the database runs, and fills an empty loans table.

    What is set from outside stays: a `LOANS_DATABASE_URL` of one's own is read from, never written to.

    Raises:
        SettingsError, FileNotFoundError, PostgresError: as `local_history` raises them.
        DatabaseError: likewise, or the loans can't be reached.
    """
    with local_history(settings_path) as server:
        if SETTING not in os.environ:
            os.environ[SETTING] = server.url("lending")
            seed_lending(load_settings(settings_path))
        yield


@contextmanager
def local_history(settings_path: Path) -> Iterator[EmbeddedPostgres]:
    """The part of it in which runs are recorded: Dagster's storage and the store, and no loans. To look is not to fill.

    Each settings file has a history and a store of its own, so that no model is trained on another table's dataset.

    Raises:
        SettingsError: the settings are wrong, or the name of their file can't be a database's.
        FileNotFoundError: the working directory is not a checkout.
        PostgresError: the embedded PostgreSQL can't be made, started or joined.
        DatabaseError: `DAGSTER_POSTGRES_URL` can't be used. Dagster would try for 10 s, and name no setting.
    """
    load_settings(settings_path)
    home, name = HOME.resolve(), settings_path.stem
    if not re.fullmatch(r"\w{1,50}", name, re.ASCII):
        raise SettingsError(f"{settings_path}: it names a database too; rename it to letters, digits and _, at most 50")
    if not (home / "dagster.yaml").exists():
        raise FileNotFoundError(f"{HOME}/dagster.yaml is not here: run this from the root of a checkout")
    with embedded_postgres(home / "postgres") as server, pristine_environment():
        os.environ["DAGSTER_HOME"] = str(home)
        os.environ["CREDIT_SETTINGS"] = str(settings_path.resolve())
        os.environ.setdefault("DAGSTER_POSTGRES_URL", server.url(f"dagster_{name}"))
        os.environ.setdefault("CREDIT_STORE", (home / "store" / name).as_uri())
        connect(os.environ["DAGSTER_POSTGRES_URL"], "DAGSTER_POSTGRES_URL").close()
        yield server


def seed_lending(settings: Settings) -> None:
    """Fills the lending database's table if it is empty."""
    with closing(connect(os.environ[SETTING], SETTING)) as lending, lending, lending.cursor() as cursor:
        if rows := seed(cursor, settings):
            print(f"filled the empty table {settings.table.name} with {rows:,} loans")


@contextmanager
def pristine_environment() -> Iterator[None]:
    """Puts the environment back as it was."""
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
