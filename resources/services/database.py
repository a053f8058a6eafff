"""The database that assets and sensors read from: one connection, one snapshot, errors without rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dagster as dg

from resources.error_texts import is_database_away
from resources.errors import PlatformError

if TYPE_CHECKING:
    import psycopg2
    from psycopg2.extensions import connection, cursor

SETTING = "PLATFORM_DATABASE_URL"
# How a connection of ours is named to the database.
CALLED = "credit-default-platform"
# Classes of SQLSTATE whose messages name a database, a table, a column or a user: connection, authorization, names,
# resources, intervention. Those of others, of a value that can't be converted for one, may quote a row.
QUOTES_NO_ROW = {"08", "28", "3D", "3F", "42", "53", "55", "57"}


# Of a database that went away: the connection broke, or its server is stopping or starting.
AWAY = ("08", "57P")


class DatabaseError(PlatformError):
    """The database does not answer, or refuses: says what it said, and which setting names it."""


class DatabaseAway(DatabaseError):
    """It does not answer, or stopped to: nothing is wrong with the question, and it is answered another time."""


def connect(url: str, setting: str, timeout_seconds: int = 10) -> "connection":
    """Opens a connection that notices a peer that is gone within about 30 s, and speaks UTF-8 whatever is stored.

    Args:
        url: a libpq URL.
        setting: what the URL was read from, for the error message, which never shows the URL: it holds a password.

    Raises:
        DatabaseAway: nothing answers there, or only that it is starting or stopping.
        DatabaseError: not a URL, or the user, password or database is wrong.
    """
    import psycopg2

    if not _well_formed(url):
        raise DatabaseError(
            f"{setting} is {'not a URL of PostgreSQL' if url else 'empty'}; expected postgresql://user:password@host:port/"
            "database, with % for special characters in the password (%40 is @)"
        )
    try:
        return psycopg2.connect(
            url,
            connect_timeout=timeout_seconds,
            application_name=CALLED,
            client_encoding="UTF8",
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=30_000,
        )
    except psycopg2.Error as error:
        said = " ".join(str(error).split()).rstrip(".?") or type(error).__name__
        raise (DatabaseAway if is_database_away(said) else DatabaseError)(
            f"the database can't be used: {said}. Check that it is up, and host, user, password and database in "
            f"{setting}"
        ) from None


def _well_formed(url: str) -> bool:
    """Whether libpq reads it without an error that would quote it, or take a piece of the password for host or port."""
    from psycopg2 import ProgrammingError
    from psycopg2.extensions import parse_dsn

    try:
        parts = parse_dsn(url)
    except ProgrammingError:
        return False
    return bool(parts) and "@" not in parts.get("host", "") and parts.get("port", "0").replace(",", "").isdigit()


def without_rows(error: "psycopg2.Error") -> str:
    """What went wrong, and what PostgreSQL said of it unless that may quote a row."""
    said = error.diag.message_primary if (error.pgcode or "")[:2] in QUOTES_NO_ROW else None
    return f"{type(error).__name__}, SQLSTATE {error.pgcode}" + (f": {said}" if said else "")


class Database(dg.ConfigurableResource):
    """A PostgreSQL database, by a libpq URL."""

    # A dependency and no config: Dagster's UI shows the config of a resource, and the URL holds a password.
    url: dg.ResourceDependency[str]
    connect_timeout_seconds: int = 10

    def connect(self) -> "connection":
        """Opens a connection, as the function `connect` of this module."""
        return connect(self.url, SETTING, self.connect_timeout_seconds)

    @contextmanager
    def snapshot(self) -> Iterator["cursor"]:
        """A cursor whose statements all see one state of the database, read-only, with times in UTC.

        Raises:
            DatabaseAway: as `connect`, or the connection broke.
            DatabaseError: as `connect`, or a statement failed. PostgreSQL's detail is left out: it may quote a row.
        """
        import psycopg2

        connection = self.connect()
        try:
            connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL TIME ZONE 'UTC'")
                yield cursor
        except psycopg2.Error as error:
            broken = isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
            away = broken and (error.pgcode is None or error.pgcode.startswith(AWAY))
            raise (DatabaseAway if away else DatabaseError)(
                f"the database failed while it was read ({without_rows(error)}). Its log may say more; "
                f"{SETTING} names it"
            ) from None
        finally:
            connection.close()
