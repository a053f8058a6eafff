"""The tables of the embedded database, which are ours to make and to fill.

Belongs here: when an empty table is filled, and when it is refused. Does not belong here: the rows that fill it, and a
database that somebody named.
"""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from credit_assets.applications.seed import fill_applications
from credit_assets.loans.seed import seed
from credit_assets.loans.table import table_sql
from credit_assets.settings.file import Settings
from resources.environment import DeploymentError
from resources.services.database import SETTING, Database

if TYPE_CHECKING:
    from psycopg2.extensions import cursor


def refuse_missing_loans(settings: Settings, url: str) -> None:
    """Raises DeploymentError if our database has no loans, and nothing would fill it: it is not the one that is meant.

    Args:
        settings: which table, and what fills it.
        url: of the database.
    """
    if settings.seed.csv or settings.seed.generate:
        return
    with Database(url=url).open_snapshot() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (table_sql(settings),))
        if cursor.fetchone() == (True,):
            cursor.execute(f"SELECT EXISTS (SELECT FROM {table_sql(settings)})")  # noqa: S608 all names are quoted
            if cursor.fetchone() == (True,):
                return
    raise DeploymentError(
        f"{SETTING} is not set, and the embedded PostgreSQL has no loans in {settings.table.name}: set {SETTING} to "
        "the database of your loans, or write [seed] in the settings for loans to try"
    )


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
