"""Times of the loans that no dataset can hold, because they are none: infinite, or of years that nothing else reads.

A loan that is created at infinity is later than every dataset. It is left out like all later ones, and counted.

Belongs here: the one statement that counts such times. Does not belong here: loans that were created later than a
dataset (`counting`), and the statement that reads the rows (`table`).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from credit_assets.loans.table import LoansError, is_later_sql, needed_types, table_sql
from credit_assets.settings.file import Settings
from credit_assets.settings.names import quote_name
from credit_assets.tables.expressions import TimeColumn
from credit_assets.tables.kinds import ColumnType
from credit_assets.tables.rules import describe_counts

if TYPE_CHECKING:
    from psycopg2.extensions import cursor

UNREADABLE = "infinite times, or times before the year 1 or after the year 9999"


def count_endless(cursor: "cursor", settings: Settings, found: Mapping[str, ColumnType], as_of: datetime) -> int:
    """How many loans are created at infinity. Other times that can't be stored are refused.

    Args:
        cursor: of the snapshot that the rows are read in.
        settings: the table and its columns.
        found: the type of each column of the table.
        as_of: of loans that were created later, no other time counts.

    Raises:
        LoansError: there is a time that can't be stored: names each column, and counts its rows.
    """
    times = [name for name, kind in needed_types(settings).items() if kind in ("time", "date")]
    columns = {name: TimeColumn(name, found[name], settings.table.time_zone) for name in times}
    is_later = is_later_sql(settings, as_of.isoformat(), found)
    created = columns[settings.table.created_at]
    conditions = [f"{quote_name(created.name)} = 'infinity'"]
    conditions += [
        created.too_early if column is created else f"{column.unreadable} AND ({is_later}) IS NOT TRUE"
        for column in columns.values()
    ]
    counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in conditions)
    cursor.execute(f"SELECT {counts} FROM {table_sql(settings)}")  # noqa: S608 all names are quoted
    ((endless, *unreadable),) = cursor.fetchall()
    if wrong := {name: rows for name, rows in zip(columns, unreadable, strict=True) if rows}:
        raise LoansError(
            f"table {settings.table.name} has {describe_counts(UNREADABLE, wrong)}. Correct them, or name a view "
            "without these rows in table.name"
        )
    return endless
