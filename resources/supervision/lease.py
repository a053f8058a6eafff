"""A lease: one row in PostgreSQL that says who may act, and until when by the database's clock.

Whoever acts under it renews it, and ends in time if it can't (resources/supervision/leader.py), or is refused by the
database once it is another's (resources/supervision/worker.py). An advisory lock would not do: it lives as long as its
connection, which outlives a node that lost power until TCP gives up. (Gray and Cheriton, Leases, SOSP 1989.)
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg2.extensions import connection

# IF NOT EXISTS alone fails if two ask at once.
TABLE = """DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('leases'));
    CREATE TABLE IF NOT EXISTS leases (
        name text PRIMARY KEY, holder text NOT NULL, fence bigint NOT NULL, deadline timestamptz NOT NULL);
    CREATE INDEX IF NOT EXISTS leases_holder ON leases (holder);
END $$"""
TAKE = """INSERT INTO leases VALUES (%(name)s, %(holder)s, 1, clock_timestamp() + %(seconds)s * interval '1 s')
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = leases.fence + 1, deadline = excluded.deadline
    WHERE leases.deadline < clock_timestamp() AND leases.holder <> '' RETURNING fence"""
MINE = "SELECT fence FROM leases WHERE name = %(name)s AND holder = %(holder)s"
RENEW = """UPDATE leases SET deadline = clock_timestamp() + %(seconds)s * interval '1 s'
    WHERE name = %(name)s AND holder = %(holder)s AND fence = %(fence)s RETURNING fence"""
RELEASE = """UPDATE leases SET deadline = clock_timestamp()
    WHERE name = %(name)s AND holder = %(holder)s AND fence = %(fence)s RETURNING fence"""
HOLDS = "SELECT fence FROM leases WHERE name = %(name)s AND holder = %(holder)s AND fence = %(fence)s"
# What lies below a name goes with it, and what nobody has renewed for a day with anything.
END = """DELETE FROM leases WHERE (name = %(name)s AND holder = %(holder)s AND fence = %(fence)s)
    OR starts_with(name, %(name)s || '/') OR deadline < clock_timestamp() - interval '1 day' RETURNING fence"""
SEEN = "SELECT deadline FROM leases WHERE name = %(name)s"
# What lies below a name goes with it. A revoked lease stays for a day, so that nobody takes it.
REVOKE = """WITH revoked AS (
    UPDATE leases SET holder = '', fence = fence + 1
    WHERE name = %(name)s AND (holder = '' OR deadline = %(deadline)s) RETURNING name),
  below AS (
    UPDATE leases SET holder = '', fence = fence + 1 FROM revoked WHERE starts_with(leases.name, revoked.name || '/')),
  old AS (DELETE FROM leases WHERE deadline < clock_timestamp() - interval '1 day')
SELECT name FROM revoked"""
PATIENCE = {"connect_timeout": 3, "tcp_user_timeout": 3000, "options": "-c statement_timeout=3000"}


@dataclass
class Leases:
    """The table, asked over one connection that is kept.

    Attributes:
        dsn: libpq's words for the database; empty: its environment variables (PGHOST, PGPASSWORD, …).
        called: how the connection is named to the database.
    """

    dsn: str
    called: str = "leases"
    _open: "connection | None" = field(default=None, repr=False)

    def seen(self, name: str) -> datetime | None:
        """Until when a lease lasts; it moves whenever its holder renews it. None: nobody has it.

        Raises:
            psycopg2.Error: the database can't be asked.
        """
        return self.ask(SEEN, name=name)

    def revoke(self, name: str, deadline: datetime) -> bool:
        """Takes a lease, and those whose names go on from its name, from their holders for good.

        Args:
            deadline: what was seen of it. If it has moved, the lease was renewed, and stays.

        Raises:
            psycopg2.Error: the database can't be asked.
        """
        return self.ask(REVOKE, name=name, deadline=deadline) is not None

    def ask(self, statement: str, **values: Any) -> Any:
        """The first value that a statement returned; None if no row was the one meant."""
        import psycopg2

        fresh = self._open is None
        connection = self._open or psycopg2.connect(self.dsn, application_name=self.called[:63], **PATIENCE)
        self._open = None
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                if fresh:
                    cursor.execute(TABLE)
                cursor.execute(statement, values)
                row = cursor.fetchone()
        except psycopg2.Error:
            connection.close()
            raise
        self._open = connection
        return row[0] if row else None


@dataclass
class Lease:
    """What is leased, and to whom.

    Attributes:
        dsn: libpq's words for the database; empty: its environment variables (PGHOST, PGPASSWORD, …).
        name: of what only one may do.
        holder: who asks, for people who look at the table.
        seconds: how long it lasts without being renewed.
        fence: counts the holders; 0 while this one has not held it. What is written under an older fence came late.
    """

    dsn: str
    name: str
    holder: str
    seconds: float = 10
    fence: int = 0
    leases: Leases = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.leases = Leases(self.dsn, f"lease {self.name}")

    def take(self) -> bool:
        """Takes the lease if nobody holds it; whether it did.

        Raises:
            psycopg2.Error: the database can't be asked.
        """
        self.fence = self._ask(TAKE) or 0
        return self.fence > 0

    def take_or_find(self) -> bool:
        """Takes the lease, or finds that an earlier question took it, whose answer was lost.

        For a holder whose name is nobody else's, as a pod's is.

        Raises:
            psycopg2.Error: the database can't be asked.
        """
        if not self.take():
            self.fence = self._ask(MINE) or 0
        return self.fence > 0

    def renew(self) -> bool:
        """Holds it for as long again from now. False: it is another's, or the row is gone.

        Raises:
            psycopg2.Error: the database can't be asked.
        """
        return self._ask(RENEW) is not None

    def holds(self) -> bool:
        """Whether it is still this holder's, without renewing it.

        Raises:
            psycopg2.Error: the database can't be asked.
        """
        return self._ask(HOLDS) is not None

    def release(self) -> None:
        """Gives it back, so that the next holder need not wait for its end.

        Raises:
            psycopg2.Error: the database can't be asked.
        """
        self._ask(RELEASE)

    def end(self) -> None:
        """Takes the row away, and those below it: whoever comes next is the first.

        Raises:
            psycopg2.Error: the database can't be asked.
        """
        self._ask(END)

    def _ask(self, statement: str) -> int | None:
        return self.leases.ask(statement, name=self.name, holder=self.holder, seconds=self.seconds, fence=self.fence)
