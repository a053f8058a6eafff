"""A lease: one row in PostgreSQL that says who may act, and until when by the database's clock.

Its holder renews it. A holder that can't renew ends itself in time (resources/supervision/leader.py), or the database
refuses what it writes once the lease is another's (resources/supervision/worker.py). An advisory lock would not do: it
lives as long as its connection, and a connection from a node that lost power lives until TCP gives up.
(Gray and Cheriton, Leases, SOSP 1989.)
"""

from dataclasses import dataclass, field
from typing import LiteralString

from resources.supervision.lease_table import FIND_DEADLINE, HOLDER_TIME_LIMIT, LeaseConnection

# A lease without a holder was revoked: nobody takes it again.
TAKE = """INSERT INTO leases VALUES (%(name)s, %(holder)s, 1, clock_timestamp() + %(seconds)s * interval '1 s')
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = leases.fence + 1, deadline = excluded.deadline
    WHERE leases.deadline < clock_timestamp() AND leases.holder <> '' RETURNING fence"""
RENEW_OWN = """UPDATE leases SET deadline = clock_timestamp() + %(seconds)s * interval '1 s'
    WHERE name = %(name)s AND holder = %(holder)s RETURNING fence"""
RENEW = """UPDATE leases SET deadline = clock_timestamp() + %(seconds)s * interval '1 s'
    WHERE name = %(name)s AND holder = %(holder)s AND fence = %(fence)s RETURNING fence"""
RELEASE = """UPDATE leases SET deadline = clock_timestamp()
    WHERE name = %(name)s AND holder = %(holder)s AND fence = %(fence)s RETURNING fence"""
CHECK = "SELECT fence FROM leases WHERE name = %(name)s AND holder = %(holder)s AND fence = %(fence)s"
# It deletes the leases named below this one too, and every lease that nobody has renewed for a day.
END = """DELETE FROM leases WHERE (name = %(name)s AND holder = %(holder)s AND fence = %(fence)s)
    OR starts_with(name, %(name)s || '/') OR deadline < clock_timestamp() - interval '1 day' RETURNING fence"""


@dataclass
class Lease:
    """What is leased, and to whom. All methods raise psycopg2.Error if the database does not answer.

    Attributes:
        dsn: libpq's connection string; empty: libpq's environment variables (PGHOST, PGPASSWORD, …).
        name: the name of what only one may do.
        holder: the name of who asks.
        seconds: how long the lease lasts after a renewal.
        fence: counts the holders of this lease; 0 while this one has not held it. What arrives with an older number
            came from an earlier holder, late.
        connection: to the database of the leases.
    """

    dsn: str
    name: str
    holder: str
    seconds: float = 10
    fence: int = 0
    connection: LeaseConnection = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.connection = LeaseConnection(self.dsn, f"lease {self.name}", HOLDER_TIME_LIMIT)

    def take(self) -> bool:
        """Takes the lease if nobody holds it, and it was not revoked; whether it is taken."""
        self.fence = self._fetch_fence(TAKE) or 0
        return self.fence > 0

    def take_or_renew(self) -> bool:
        """Takes the lease, or renews it if an earlier attempt took it and only the answer was lost.

        Only for a holder with a unique name, such as the name of a pod.
        """
        if not self.take():
            self.fence = self._fetch_fence(RENEW_OWN) or 0
        return self.fence > 0

    def renew(self) -> bool:
        """Extends the lease to its whole time from now. False: it is another's, was revoked, or is gone."""
        return self._fetch_fence(RENEW) is not None

    def is_held(self) -> bool:
        """Whether this holder still has the lease. It does not renew it."""
        return self._fetch_fence(CHECK) is not None

    def was_ended(self) -> bool:
        """Whether the lease is gone in order, with its run. One that was revoked, or is another's, has a row."""
        return self.connection.fetch_value(FIND_DEADLINE, name=self.name) is None

    def release(self) -> None:
        """Lets the lease end now, so that the next holder does not wait. Its row stays and counts the holders."""
        self._fetch_fence(RELEASE)

    def end(self) -> None:
        """Deletes the lease and the leases named below it. Whoever takes it next is its first holder."""
        self._fetch_fence(END)

    def _fetch_fence(self, statement: LiteralString) -> int | None:
        return self.connection.fetch_value(
            statement, name=self.name, holder=self.holder, seconds=self.seconds, fence=self.fence
        )
