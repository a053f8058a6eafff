"""A database that assets and sensors use: one connection, one snapshot or transaction, errors without rows.

Belongs here: how to connect, and what an error may show. Does not belong here: any statement, or any table.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Literal, Self, TypeVar

import dagster as dg

from resources.error_texts import find_table_with_policy, is_database_away
from resources.errors import PlatformError
from resources.libpq import SEARCH_PATH, close_gaps, describe_variables, set_session

if TYPE_CHECKING:
    import psycopg2
    from psycopg2.extensions import connection, cursor

SETTING = "PLATFORM_DATABASE_URL"
Result = TypeVar("Result")
# The name by which PostgreSQL lists a connection of the platform.
APPLICATION_NAME = "credit-default-platform"
# Classes of SQLSTATE whose messages name a database, a table, a column or a user: connection, authorization, names,
# resources, intervention, states of transactions. Other messages may quote a row, for example that of a value that
# can't be converted.
QUOTES_NO_ROW = {"08", "25", "28", "3D", "3F", "40", "42", "53", "55", "57"}
# SQLSTATEs of a database that went away: the connection broke, or its server is stopping or starting.
AWAY = ("08", "57P")
# The SQLSTATE of a right that the user does not have.
DENIED = "42501"
# A replica ends a reader that keeps it from following its primary. Nothing else ends a snapshot that only reads so. A
# transaction that writes does not get here: the server is no replica then, and what is in its way may stay there.
STOPPED_BY_REPLICA = ("40001", "40P01")


class DatabaseError(PlatformError):
    """The database does not answer, or it refuses. The message has its answer, and the setting that names it."""


class DatabaseAway(DatabaseError):
    """The database does not answer now. The same statement succeeds once the database is back."""


def connect(url: str, setting: str, timeout_seconds: int = 10) -> "connection":
    """Opens a connection in UTF-8 that fails within about 30 s if the server has gone.

    Args:
        url: a libpq URL.
        setting: where the URL was read, for the error message. The message never shows the URL: it holds a password.

    Raises:
        DatabaseAway: nothing answers there, or the server says that it is starting or stopping.
        DatabaseError: not a URL, or the user, password or database is wrong.
        DeploymentError: the URL names a service, and variables of libpq would fill what its file leaves open.
    """
    import psycopg2

    if not _is_well_formed(url):
        raise DatabaseError(
            f"{setting} is not {'a URL of PostgreSQL' if url else 'set'}; expected postgresql://user:password@host:port/"
            "database, with % for special characters in the password (%40 is @)"
        )
    try:
        return psycopg2.connect(
            url,
            connect_timeout=timeout_seconds,
            application_name=APPLICATION_NAME,
            client_encoding="UTF8",
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=30_000,
            **close_gaps(url, setting),
        )
    except psycopg2.Error as error:
        # libpq writes a sentence in two lines, and full stops at neither.
        sentences = [" ".join(line.split()).rstrip(".?") for line in str(error).splitlines() if line.strip()]
        reason = ". ".join(sentences) or type(error).__name__
        raise (DatabaseAway if is_database_away(reason) else DatabaseError)(
            f"the database can't be used: {reason}. Check that it is up, and host, user, password and database in "
            f"{setting}{describe_variables()}"
        ) from None


def _is_well_formed(url: str) -> bool:
    """Whether libpq can read the URL.

    If libpq can't, its error would quote the URL, or would show a piece of the password as the host or the port.
    """
    from psycopg2 import ProgrammingError
    from psycopg2.extensions import parse_dsn

    try:
        parts = parse_dsn(url)
    except ProgrammingError:
        return False
    return bool(parts) and "@" not in parts.get("host", "") and parts.get("port", "0").replace(",", "").isdigit()


def repeat_while_away(act: Callable[[], Result], patience_seconds: float = 240) -> Result:
    """Repeats what a database that is away has interrupted; what it has done once must be allowed to happen again.

    Args:
        act: opens its own connection.
        patience_seconds: how long the database is waited for.

    Raises:
        DatabaseAway: it stayed away.
    """
    import tenacity

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(DatabaseAway),
        stop=tenacity.stop_after_delay(patience_seconds),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=5),
        reraise=True,
    )(act)


def describe_without_rows(error: "psycopg2.Error") -> str:
    """The class of an error and its SQLSTATE, with PostgreSQL's message unless that may quote a row."""
    message = error.diag.message_primary if (error.pgcode or "")[:2] in QUOTES_NO_ROW else None
    return f"{type(error).__name__}, SQLSTATE {error.pgcode}" + (f": {message}" if message else "")


def _find_tables_with_policy(connection: "connection", name: str) -> list[str]:
    """The tables of this name whose policies hide rows from the user, each with its schema; ends the transaction."""
    import psycopg2

    with suppress(psycopg2.Error), connection.cursor() as cursor:
        connection.rollback()
        cursor.execute(
            "SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_class AS c "
            "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
            "WHERE c.relname = %s AND c.relrowsecurity AND pg_catalog.row_security_active(c.oid) ORDER BY 1",
            (name,),
        )
        return [found for (found,) in cursor.fetchall()]
    return []


class Database(dg.ConfigurableResource):
    """A PostgreSQL database, by a libpq URL.

    Attributes:
        url: empty if `setting` is not set; the first use then says so.
        setting: the variable that the URL was read from, for errors.
        connect_timeout_seconds: how long a server that does not answer is waited for.
        silent_seconds: after so long without a word from its client, PostgreSQL ends a transaction that writes;
            0 for no limit.
        row_policy: "refuse": a table whose policies would hide rows from the user is an error. "apply": they hide them.
    """

    # A dependency and no config: Dagster's UI shows the config of a resource, and the URL holds a password.
    url: dg.ResourceDependency[str]
    setting: str = SETTING
    connect_timeout_seconds: int = 10
    # A lost node closes no connection. Until PostgreSQL ends its transaction, the rows that it wrote are locked, and a
    # retry waits for them. A retry begins about 15 s after the loss.
    silent_seconds: int = 10
    row_policy: Literal["refuse", "apply"] = "refuse"

    def with_row_policy(self, row_policy: Literal["refuse", "apply"]) -> Self:
        """The same database, which a row policy keeps from being used, or whose policies choose what is seen."""
        return self.model_copy(update={"row_policy": row_policy})

    def connect(self) -> "connection":
        """Opens a connection, like the function `connect` of this module."""
        return connect(self.url, self.setting, self.connect_timeout_seconds)

    @contextmanager
    def open_snapshot(self) -> Iterator["cursor"]:
        """Opens a read-only cursor whose statements all see one state of the database, in a session of known settings.

        Raises:
            DatabaseAway: like `connect`, or the connection broke, or a replica stopped the reading.
            DatabaseError: like `connect`, or a statement failed. PostgreSQL's detail is left out: it may quote a row.
        """
        with self._open("read", isolation_level="REPEATABLE READ", readonly=True) as cursor:
            yield cursor

    @contextmanager
    def open_transaction(self) -> Iterator["cursor"]:
        """Opens a cursor whose statements are committed together at the end; after an error, none.

        The time between two statements is limited (`silent_seconds`), and the time of a statement is not.

        Raises:
            DatabaseAway: like `connect`, or the connection broke, or PostgreSQL ended it after too long a silence. If
                it broke while PostgreSQL committed, nobody knows whether it did: the caller repeats the statements, and
                they must allow that.
            DatabaseError: like `connect`, or the server is a replica, or a statement failed. PostgreSQL's detail is
                left out: it may quote a row.
        """
        silence = {"idle_in_transaction_session_timeout": f"{self.silent_seconds}s"}
        with self._open("written to", silence, isolation_level="READ COMMITTED", readonly=False) as cursor:
            yield cursor
            cursor.connection.commit()

    @contextmanager
    def _open(
        self, used: str, more: Mapping[str, str] | None = None, *, isolation_level: str, readonly: bool
    ) -> Iterator["cursor"]:
        import psycopg2

        connection = self.connect()
        user = connection.info.user
        # Off: PostgreSQL refuses a statement that sees a part of the rows, and does not run it on the part.
        known = {"search_path": SEARCH_PATH, "row_security": "on" if self.row_policy == "apply" else "off"}
        try:
            if not readonly and connection.get_parameter_status("in_hot_standby") == "on":
                raise DatabaseError(
                    f"{self.setting} names a replica, which nobody can write to: name the primary in {self.setting}"
                )
            connection.set_session(isolation_level=isolation_level, readonly=readonly, deferrable=False)
            with connection.cursor() as cursor:
                if wrong := set_session(cursor, {**known, **(more or {})}):
                    raise DatabaseError(
                        f"the database of {self.setting} does not work as usual for this user, who can't change that: "
                        f"expected {', '.join(wrong)}. Find what sets it with \\drds in psql, and reset it"
                    )
                yield cursor
        except psycopg2.Error as error:
            if table := find_table_with_policy(error.diag.message_primary or ""):
                named = " or ".join(_find_tables_with_policy(connection, table)) or table
                raise DatabaseError(
                    f"a row policy of table {named} would hide rows from user {user} of {self.setting}. Name a user "
                    'with BYPASSRLS or the table\'s owner there, or write row_policy = "apply" in [table] of the '
                    "settings to use only what the policy shows"
                ) from None
            if readonly and error.pgcode in STOPPED_BY_REPLICA:
                raise DatabaseAway(
                    f"the replica of {self.setting} stopped the reading, to follow its primary "
                    f"({describe_without_rows(error)}). Another attempt may succeed. If it happens often, set "
                    "hot_standby_feedback = on there, or raise max_standby_streaming_delay, or name the primary"
                ) from None
            if error.pgcode == DENIED:
                rights = "SELECT" if readonly else "SELECT, INSERT, UPDATE"
                raise DatabaseError(
                    f"user {user} of {self.setting} lacks a right ({describe_without_rows(error)}). It needs {rights} "
                    f"on the table and USAGE on its schema: the owner runs GRANT {rights} ON the table TO {user}"
                ) from None
            is_broken = isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
            is_away = is_broken and (error.pgcode is None or error.pgcode.startswith(AWAY))
            raise (DatabaseAway if is_away else DatabaseError)(
                f"the database failed while it was {used} ({describe_without_rows(error)}). Its log may say more; "
                f"{self.setting} names it"
            ) from None
        finally:
            connection.close()
