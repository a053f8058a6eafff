"""How a statement reads a column of each kind, so that COPY prints what is stored.

A column of the plain type of its kind is read as it is.

Belongs here: expressions on one column or two. Does not belong here: which columns of which table are read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from credit_assets.settings.columns import Column
from credit_assets.settings.names import quote_name
from credit_assets.tables.kinds import ColumnType

# What every program can read that comes after PostgreSQL. In no time zone is the first day still before Christ.
FIRST_DAY, DAY_AFTER_LAST = "0001-01-02", "10000-01-01"


@dataclass(frozen=True)
class TimeColumn:
    """A column that holds a time.

    Attributes:
        name: of the column.
        type: a date or a timestamp.
        zone: the time zone of its values, unless they have one of their own.
    """

    name: str
    type: ColumnType
    zone: str

    @property
    def instant(self) -> str:
        """The moment, which compares with any other. In UTC it is the column itself, so that an index serves."""
        if self._has_zone or self.zone == "UTC":
            return quote_name(self.name)
        return f"({quote_name(self.name)}::timestamp AT TIME ZONE '{self.zone}')"

    @property
    def clock(self) -> str:
        """What a clock in the zone shows, so that two dates lie whole days apart."""
        name = quote_name(self.name)
        return f"({name} AT TIME ZONE '{self.zone}')" if self._has_zone else f"{name}::timestamp"

    @property
    def unreadable(self) -> str:
        """A condition: the time is infinite, or before the year 1 or after the year 9999. NULL if there is no time."""
        name = quote_name(self.name)
        return f"NOT ({name} >= DATE '{FIRST_DAY}' AND {name} < DATE '{DAY_AFTER_LAST}')"

    @property
    def too_early(self) -> str:
        """A condition: the time is minus infinity, or before the year 1. NULL if there is no time."""
        return f"{quote_name(self.name)} < DATE '{FIRST_DAY}'"

    @property
    def _has_zone(self) -> bool:
        return self.type.base == "timestamp with time zone"


def spell_time(time: datetime) -> str:
    """A moment as statements spell it."""
    return f"'{time.isoformat()}'::timestamptz"


def select_time(column: TimeColumn) -> str:
    """The moment without an offset, in the zone of the session, which is UTC."""
    return f"{column.instant}::timestamp"


def select_age(column: TimeColumn, before: "TimeColumn | datetime") -> str:
    """The days from a time to a later one, with a fraction; infinite if a time can't be read, so that a rule finds it.

    Args:
        column: the earlier time.
        before: the later time, a column or a moment.
    """
    if isinstance(before, TimeColumn):
        end, unreadable = before.clock, f"{column.unreadable} OR {before.unreadable}"
    else:
        end, unreadable = f"({spell_time(before)} AT TIME ZONE '{column.zone}')", column.unreadable
    days = f"(extract(epoch FROM {end} - {column.clock}) / 86400)::text"
    return f"CASE WHEN {unreadable} THEN 'Infinity' ELSE {days} END"


def select_value(name: str, kind: str, found: ColumnType) -> str:
    """A value that is no time, as it is stored.

    Args:
        name: of the column.
        kind: what it is read as.
        found: its type.
    """
    quoted = quote_name(name)
    if kind == "boolean":
        return f"{quoted}::integer"
    if kind in ("integer", "id") and found.base == "numeric" and not found.is_whole:
        # 12.00 becomes 12. 12.50 becomes 12.5, which is refused: a cast would round it.
        return f"trim_scale({quoted})"
    return f"{quoted}::text" if found.base == "character" else quoted


def select_columns(
    kinds: Mapping[str, str],
    declared: Mapping[str, Column],
    found: Mapping[str, ColumnType],
    zone: str,
    as_of: datetime,
) -> dict[str, str]:
    """The expression of each column of a statement, in their order.

    Args:
        kinds: the columns in their order, each with its kind.
        declared: what the settings say of them; every date must be there.
        found: their types, and those of all columns that dates lie before.
        zone: the time zone of times without one.
        as_of: the time that the other dates lie before.
    """

    def select(name: str, kind: str) -> str:
        if kind not in ("time", "date"):
            return select_value(name, kind, found[name])
        column = TimeColumn(name, found[name], zone)
        if kind == "time":
            return select_time(column)
        before = declared[name].before_column
        return select_age(column, TimeColumn(before, found[before], zone) if before else as_of)

    return {name: select(name, kind) for name, kind in kinds.items()}


def order_by(name: str, found: ColumnType) -> str:
    """The order of ids, which is the same in every database: texts by the numbers of their characters."""
    quoted = quote_name(name)
    if found.base in ("character", "citext"):
        return f'{quoted}::text COLLATE "C"'
    return f'{quoted} COLLATE "C"' if found.base in ("text", "character varying") else quoted
