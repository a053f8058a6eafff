"""The table of leases: how PostgreSQL is asked about it, and what somebody who holds no lease may do with it.

Belongs here: the connection, the table, and what the run launcher needs: to see a lease and to revoke it. Does not
belong here: what a holder does with its own lease (resources/supervision/lease.py).
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, LiteralString

if TYPE_CHECKING:
    from psycopg2.extensions import connection

# The lock is needed because IF NOT EXISTS alone fails when two connections create the table at the same time.
CREATE_TABLE = """DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('leases'));
    CREATE TABLE IF NOT EXISTS leases (
        name text PRIMARY KEY, holder text NOT NULL, fence bigint NOT NULL, deadline timestamptz NOT NULL);
    CREATE INDEX IF NOT EXISTS leases_holder ON leases (holder);
END $$"""
FIND_DEADLINE = "SELECT deadline FROM leases WHERE name = %(name)s"
# A worker that was asked to end leaves its lease behind, so the table has leases of runs that ended long ago.
LIST_DEADLINES = """SELECT name, deadline FROM leases
    WHERE holder <> '' AND deadline > clock_timestamp() - interval '1 minute'"""
# The lease of a run's step is named below the run's, and is revoked with it. A revoked lease has no holder. It stays in
# the table for a day, so that no second worker of the run can take it.
REVOKE = """WITH revoked AS (
    UPDATE leases SET holder = '', fence = fence + 1
    WHERE name = %(name)s AND (holder = '' OR deadline = %(deadline)s) RETURNING name),
  below AS (
    UPDATE leases SET holder = '', fence = fence + 1 FROM revoked WHERE starts_with(leases.name, revoked.name || '/')),
  old AS (DELETE FROM leases WHERE deadline < clock_timestamp() - interval '1 day')
SELECT name FROM revoked"""
# A lease that nobody has ever held gets a row without a holder: nobody can take it, as if it had been revoked.
REFUSE = """INSERT INTO leases VALUES (%(name)s, '', 1, clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET holder = leases.holder WHERE leases.holder = '' RETURNING name"""
# Seconds to connect, and to answer. A holder has time for two renewals without an answer after its node was busy. A
# revocation takes longer if a page of events still holds the lease of its worker.
HOLDER_TIME_LIMIT, WATCHER_TIME_LIMIT = 2, 3
# PostgreSQL cuts off longer names of connections.
LONGEST_CONNECTION_NAME = 63


def name_run_lease(run_id: str, step: str | None = None) -> str:
    """Returns the name of the lease that the worker of a run holds; with a step, that of the step's own pod."""
    return f"run/{run_id}/{step}" if step else f"run/{run_id}"


@dataclass
class LeaseConnection:
    """One connection to the database of the leases. It is kept, and opened again after an error.

    Attributes:
        dsn: libpq's connection string; empty: libpq's environment variables (PGHOST, PGPASSWORD, …).
        name: the name of the connection in PostgreSQL's list of sessions.
        time_limit: seconds that it may take to connect, and that a statement may take.
    """

    dsn: str
    name: str
    time_limit: int = WATCHER_TIME_LIMIT
    _open: "connection | None" = field(default=None, repr=False)

    def fetch_value(self, statement: LiteralString, **values: Any) -> Any:
        """Runs one statement; the first value of its first row, or None if it returned no row.

        Raises:
            psycopg2.Error: the database did not answer, or refused.
        """
        rows = self.fetch_rows(statement, **values)
        return rows[0][0] if rows else None

    def fetch_rows(self, statement: LiteralString, **values: Any) -> list[tuple[Any, ...]]:
        """Runs one statement; the rows that it returned.

        Raises:
            psycopg2.Error: the database did not answer, or refused.
        """
        import psycopg2

        fresh = self._open is None
        connection = self._open or self._connect()
        self._open = None
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                if fresh:
                    cursor.execute(CREATE_TABLE)
                cursor.execute(statement, values)
                rows = cursor.fetchall()
        except psycopg2.Error:
            connection.close()
            raise
        self._open = connection
        return rows

    def _connect(self) -> "connection":
        import psycopg2

        milliseconds = self.time_limit * 1000
        return psycopg2.connect(
            self.dsn,
            application_name=self.name[:LONGEST_CONNECTION_NAME],
            connect_timeout=self.time_limit,
            tcp_user_timeout=milliseconds,
            options=f"-c statement_timeout={milliseconds}",
        )


class Leases:
    """The leases of others: somebody who watches them can see them, and revoke them.

    Args:
        dsn: libpq's connection string; empty: libpq's environment variables (PGHOST, PGPASSWORD, …).
        name: the name of the connection in PostgreSQL's list of sessions.
    """

    def __init__(self, dsn: str, name: str = "leases") -> None:
        self._connection = LeaseConnection(dsn, name)

    def find_deadline(self, name: str) -> datetime | None:
        """The time until which a lease lasts; it moves with each renewal. None: the table has no such lease.

        Raises:
            psycopg2.Error: the database did not answer.
        """
        return self._connection.fetch_value(FIND_DEADLINE, name=name)

    def list_deadlines(self) -> dict[str, datetime]:
        """The deadlines of all leases, by name, that were not revoked and lasted until a minute ago or longer.

        Raises:
            psycopg2.Error: the database did not answer.
        """
        return {str(name): deadline for name, deadline in self._connection.fetch_rows(LIST_DEADLINES)}

    def revoke(self, name: str, deadline: datetime) -> bool:
        """Takes a lease, and the leases named below it, away from their holders for good.

        Args:
            name: the lease's.
            deadline: the deadline that was seen. If it has moved since, the holder has renewed, and keeps its lease.

        Returns:
            Whether the lease is revoked now.

        Raises:
            psycopg2.Error: the database did not answer.
        """
        return self._connection.fetch_value(REVOKE, name=name, deadline=deadline) is not None

    def refuse(self, name: str) -> bool:
        """Makes sure that nobody ever takes a lease that nobody has taken yet.

        Returns:
            Whether nobody can take it now. False: somebody holds it, or has let it end.

        Raises:
            psycopg2.Error: the database did not answer.
        """
        return self._connection.fetch_value(REFUSE, name=name) is not None
