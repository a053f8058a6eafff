"""The statements about leases, as PostgreSQL carries them out: a model of what their SQL says.

A test runs the same statements on a PostgreSQL and on this model, and compares (tests/assets/supervision).

Belongs here: the table of leases. Does not belong here: who may write without one (`postgres`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from resources.supervision.fence import FENCE
from resources.supervision.lease import CHECK, END, RELEASE, RENEW, RENEW_OWN, TAKE
from resources.supervision.lease_table import FIND_DEADLINE, LIST_DEADLINES, REFUSE, REVOKE


@dataclass
class Row:
    """A row of the table of leases; the deadline is in seconds by the clock of PostgreSQL."""

    holder: str
    fence: int
    deadline: float


class LeaseTable:
    """The table, and the statements that the platform has for it.

    Args:
        clock: seconds, by PostgreSQL.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self.rows = clock, dict[str, Row]()
        self._statements: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            FENCE: lambda _: 3,
            TAKE: self._take,
            CHECK: lambda given: self._fence_if(given, "holder", "fence"),
            RENEW: lambda given: self._move(given, given["seconds"], "holder", "fence"),
            RENEW_OWN: lambda given: self._move(given, given["seconds"], "holder"),
            RELEASE: lambda given: self._move(given, 0, "holder", "fence"),
            END: self._end,
            FIND_DEADLINE: self._find_deadline,
            LIST_DEADLINES: lambda _: self._list_deadlines(),
            REVOKE: self._revoke,
            REFUSE: self._refuse,
        }

    def execute(self, statement: str, values: Mapping[str, Any]) -> Any:
        """Carries out one statement; the first value of its first row, or None. A list of rows if there may be many."""
        return self._statements[statement](values)

    def has_holder(self, holder: str) -> bool:
        """Whether any lease is this holder's: the question of the fence."""
        return any(row.holder == holder for row in self.rows.values())

    def _fence_if(self, given: Mapping[str, Any], *same: str) -> int | None:
        row = self.rows.get(given["name"])
        return row.fence if row and all(getattr(row, each) == given[each] for each in same) else None

    def _take(self, given: Mapping[str, Any]) -> int | None:
        row, deadline = self.rows.get(given["name"]), self._clock() + given["seconds"]
        if row is None:
            self.rows[given["name"]] = Row(given["holder"], 1, deadline)
            return 1
        if row.deadline < self._clock() and row.holder != "":
            row.holder, row.fence, row.deadline = given["holder"], row.fence + 1, deadline
            return row.fence
        return None

    def _move(self, given: Mapping[str, Any], seconds: float, *same: str) -> int | None:
        if (fence := self._fence_if(given, *same)) is not None:
            self.rows[given["name"]].deadline = self._clock() + seconds
        return fence

    def _end(self, given: Mapping[str, Any]) -> int | None:
        fence = self._fence_if(given, "holder", "fence")
        below = f"{given['name']}/"
        self.rows = {
            name: row
            for name, row in self.rows.items()
            if not (name.startswith(below) or (name == given["name"] and fence is not None))
        }
        return fence

    def _find_deadline(self, given: Mapping[str, Any]) -> datetime | None:
        row = self.rows.get(given["name"])
        return datetime.fromtimestamp(row.deadline, UTC) if row else None

    def _list_deadlines(self) -> list[tuple[str, datetime]]:
        recent = self._clock() - 60
        rows = [(name, row) for name, row in self.rows.items() if row.holder != "" and row.deadline > recent]
        return [(name, datetime.fromtimestamp(row.deadline, UTC)) for name, row in rows]

    def _revoke(self, given: Mapping[str, Any]) -> str | None:
        row, name = self.rows.get(given["name"]), given["name"]
        if row is None or (row.holder != "" and self._find_deadline(given) != given["deadline"]):
            return None
        for each, found in self.rows.items():
            if each == name or each.startswith(f"{name}/"):
                found.holder, found.fence = "", found.fence + 1
        return name

    def _refuse(self, given: Mapping[str, Any]) -> str | None:
        row = self.rows.setdefault(given["name"], Row("", 1, self._clock()))
        return given["name"] if row.holder == "" else None


@dataclass
class ModelConnection:
    """What `LeaseConnection` is to the platform's code.

    Args:
        ask: sends a request to PostgreSQL; `Service.ask`.
        table: the table of leases.
        time_limit: seconds after which a request that was lost fails.
    """

    ask: Callable[..., Any]
    table: LeaseTable
    time_limit: float

    def fetch_value(self, statement: str, **values: Any) -> Any:
        """As `LeaseConnection.fetch_value`."""
        return self._ask(statement, values)

    def fetch_rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """As `LeaseConnection.fetch_rows`."""
        return self._ask(statement, values)

    def _ask(self, statement: str, values: Mapping[str, Any]) -> Any:
        return self.ask(lambda: self.table.execute(statement, values), lost_after=self.time_limit)
