"""The platform of one machine: the embedded PostgreSQL, Dagster's instance, the store and the loans, under `local/`.

Belongs here: what has to be there before a run, a look-up or the UI. Does not belong here: what these do.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import dagster as dg

from credit_assets.commands.one_machine.own_tables import refuse_missing_loans, seed_applications, seed_loans
from credit_assets.settings.file import SettingsError, load_settings
from resources.deployment import Deployment
from resources.environment import DeploymentError, changed_environment
from resources.errors import PlatformError
from resources.libpq import OF_THE_SHELL
from resources.machine.embedded_postgres import EmbeddedPostgres, use_postgres
from resources.machine.processes import fail_left_runs
from resources.services.database import SETTING, connect

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
        DeploymentError: steps are to run in pods, and there are none; or the embedded PostgreSQL would be read, and has
            no loans, or its scores would be written elsewhere.
        DatabaseError: likewise, or the loans can't be reached.
    """
    if outside.executor != "in_process":
        raise DeploymentError(
            f"PLATFORM_EXECUTOR={outside.executor}: only a release on a cluster computes steps in pods. Unset it here"
        )
    if outside.scores_url and not outside.database_url:
        raise DeploymentError(
            "PLATFORM_SCORES_URL is set and PLATFORM_DATABASE_URL is not: scores of the embedded PostgreSQL would be "
            "written to another database. Set PLATFORM_DATABASE_URL too, or unset PLATFORM_SCORES_URL"
        )
    with local_history(settings_path, outside) as local:
        if not outside.database_url:
            url, settings = local.server.create_database("lending"), load_settings(settings_path)
            refuse_missing_loans(settings, url)
            seed_loans(settings, url)
            seed_applications(settings, url)
            filled = replace(local.deployment, database_url=url, scores_url=url)
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


def describe_places(deployment: Deployment, outside: Deployment) -> str:
    """For people: which loans are read, and where artifacts are saved.

    Args:
        deployment: of a local platform.
        outside: what is set from outside.
    """
    loans = SETTING if outside.database_url else "the embedded PostgreSQL"
    return f"loans of {loans}, artifacts in {deployment.store}"


def fail_runs_of_killed_processes(instance: dg.DagsterInstance) -> None:
    """Fails the runs that a killed `make run` left, which would keep places that others wait for."""
    for left in fail_left_runs(instance):
        print(f"run {left} was left by a process that is gone: it is marked as failed", file=sys.stderr)
