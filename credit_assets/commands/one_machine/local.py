"""The platform of one machine: the embedded PostgreSQL, Dagster's instance, the store and the loans, under `local/`.

Belongs here: what has to be there before a run, a look-up or the UI. Does not belong here: what these do.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from credit_assets.applications.seed import fill_applications
from credit_assets.loans.seed import seed
from credit_assets.settings.file import Settings, SettingsError, load_settings
from resources.deployment import Deployment
from resources.environment import DeploymentError, changed_environment
from resources.errors import PlatformError
from resources.libpq import OF_THE_SHELL
from resources.machine.embedded_postgres import EmbeddedPostgres, use_postgres
from resources.machine.processes import fail_left_runs
from resources.services.database import Database, connect

if TYPE_CHECKING:
    from psycopg2.extensions import cursor

HOME = Path("local")
HISTORY = "PLATFORM_HISTORY_URL"


class NoCheckout(PlatformError):
    """The working directory is not the root of a checkout."""


@dataclass(frozen=True)
class LocalPlatform:
    """A machine's own platform while its PostgreSQL runs.

    Args:
        deployment: with everything that was not set from outside filled in.
        server: the embedded PostgreSQL.
    """

    deployment: Deployment
    server: EmbeddedPostgres


@contextmanager
def local_platform(settings_path: Path, outside: Deployment) -> Iterator[LocalPlatform]:
    """Starts everything that a run on this machine needs, and fills empty tables of our own.

    Args:
        settings_path: the settings file.
        outside: what is set from outside, which stays. A database of loans of one's own is never written to: beside
            it, scores are written only to a database that was set too.

    Raises:
        SettingsError, NoCheckout, PostgresError: as `local_history` raises them.
        DeploymentError: steps are to run in pods, and there are none.
        DatabaseError: likewise, or the loans can't be reached.
    """
    if outside.executor != "in_process":
        raise DeploymentError(
            f"PLATFORM_EXECUTOR={outside.executor}: only a release on a cluster computes steps in pods. Unset it here"
        )
    with local_history(settings_path, outside) as local:
        if not outside.database_url:
            url = local.server.create_database("lending")
            seed_loans(load_settings(settings_path), url)
            seed_applications(load_settings(settings_path), url)
            filled = replace(local.deployment, database_url=url, scores_url=outside.scores_url or url)
            local = replace(local, deployment=filled)
        yield local


@contextmanager
def local_history(settings_path: Path, outside: Deployment) -> Iterator[LocalPlatform]:
    """Starts Dagster's storage and opens the store, without loans: a look-up makes and fills no table.

    Settings files of different names have different histories and stores, so that no model is trained on another
    table's dataset. `a/loans.toml` and `b/loans.toml` have the same name, and share both.

    Args:
        settings_path: the settings file.
        outside: what is set from outside, which stays.

    Raises:
        SettingsError: the settings are wrong, or the name of their file can't be a database's.
        NoCheckout: the working directory is not the root of a checkout.
        PostgresError: the embedded PostgreSQL can't be made, started or joined.
        DatabaseError: the database of the history can't be used. Dagster would try for 10 s, and name no setting.
    """
    home = find_home()
    load_settings(settings_path)
    name = check_name(settings_path)
    # Dagster, and the processes that it starts, connect too. They have nothing from the shell but the URL.
    with changed_environment(without=OF_THE_SHELL), use_postgres(home / "postgres") as server:
        history_url = outside.history_url or server.create_database(f"dagster_{name}")
        deployment = replace(
            outside,
            settings=str(settings_path.resolve()),
            store=outside.store or (home / "store" / name).as_uri(),
            history_url=history_url,
            dagster_home=str(home),
        )
        connect(history_url, HISTORY).close()
        # Dagster itself reads these two: where `dagster.yaml` is, and the variable that this file names.
        with changed_environment(DAGSTER_HOME=str(home), **{HISTORY: history_url}):
            yield LocalPlatform(deployment, server)


def find_home() -> Path:
    """The folder of this machine's platform, absolute.

    Raises:
        NoCheckout: the working directory is not the root of a checkout.
    """
    home = HOME.resolve()
    if not (home / "dagster.yaml").exists():
        raise NoCheckout(f"{HOME}/dagster.yaml is not here: run this from the root of a checkout")
    return home


def check_name(settings_path: Path) -> str:
    """The name of a settings file, which is also a database's.

    Raises:
        SettingsError: it can't be one.
    """
    if not re.fullmatch(r"\w{1,50}", settings_path.stem, re.ASCII):
        raise SettingsError(
            f"settings file {settings_path}: the file's name is also a database's name. "
            "Use at most 50 letters, digits or `_`"
        )
    return settings_path.stem


def seed_loans(settings: Settings, url: str) -> None:
    """Fills the loans' table if it is empty.

    Args:
        settings: which table, and what fills it.
        url: of the database, which is ours to write to.

    Raises:
        DatabaseError: the database can't be used.
    """
    with _open_to_fill(url) as cursor:
        if rows := seed(cursor, settings):
            print(f"filled the empty table {settings.table.name} with {rows:,} loans")


def seed_applications(settings: Settings, url: str) -> None:
    """Fills the tables of locations and applications if both are empty, and the settings ask for it.

    Args:
        settings: which tables, and what fills them.
        url: of the database, which is ours to write to.

    Raises:
        DatabaseError: the database can't be used.
        SettingsError: the tables can't be filled as the settings say.
    """
    if settings.scoring is None or not settings.seed.locations:
        return
    with _open_to_fill(url) as cursor:
        if rows := fill_applications(cursor, settings):
            print(
                f"filled the empty tables {settings.scoring.locations} and {settings.scoring.applications} with "
                f"{settings.seed.locations:,} locations and {rows:,} applications"
            )


def _open_to_fill(url: str) -> AbstractContextManager["cursor"]:
    # Many rows are generated within the transaction, in which time PostgreSQL hears nothing.
    return Database(url=url, silent_seconds=0).open_transaction()


def fail_runs_of_killed_processes(instance: dg.DagsterInstance) -> None:
    """Fails the runs that a killed `make run` left, which would keep places that others wait for."""
    for left in fail_left_runs(instance):
        print(f"run {left} was left by a process that is gone: it is marked as failed", file=sys.stderr)
