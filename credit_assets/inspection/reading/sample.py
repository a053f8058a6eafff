"""A sample of a table's rows, bounded in rows and in values, as typed columns in memory.

Belongs here: which rows are read, and how a column of any type comes out. Does not belong here: what is counted in them
(`facts`).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from credit_assets.inspection.reading.catalogue import FoundColumn, FoundTable, estimate_rows
from credit_assets.settings.names import quote_name
from credit_assets.tables.kinds import INTEGERS, list_kinds
from credit_assets.tables.rows import open_batches
from resources.errors import PlatformError

if TYPE_CHECKING:
    import pyarrow as pa
    from psycopg2.extensions import cursor

MOST_ROWS = 50_000
# 400 columns of 10,000 rows: some tens of megabytes.
MOST_VALUES = 4_000_000
LONGEST_TEXT = 100


class InspectionError(PlatformError):
    """A table can't be inspected: names it, and says what to do."""


@dataclass(frozen=True)
class Sample:
    """Rows of a table.

    Attributes:
        rows: a column of each readable column of the table. Times are seconds since 1970. Of a column that can't be
            read, only whether it has a value. Texts are cut after 100 characters.
        total: how many rows the table has: counted if the sample is all of it, or else what the planner expects.
        is_all: whether the sample is the whole table.
        way: for people, how many rows were read, and how they were chosen.
        read_at: the time of the database when they were read, in seconds since 1970.
    """

    rows: "pa.Table"
    total: int
    is_all: bool
    way: str
    read_at: float

    @property
    def size(self) -> str:
        """How many rows the table has, for people."""
        return f"{'' if self.is_all else 'about '}{self.total:,} rows"


def form_of(column: FoundColumn) -> str:
    """The form in which values of a column are sampled: integer, number, time, text, or filled if they can't be."""
    kinds = list_kinds(column.type)
    if column.type.base in INTEGERS:
        return "integer"
    if "number" in kinds:
        return "number"
    if "date" in kinds:
        return "time"
    return "text" if "category" in kinds else "filled"


def read_sample(cursor: "cursor", table: FoundTable, most_rows: int = MOST_ROWS) -> Sample:
    """Reads a sample, and never more than `most_rows` rows.

    Args:
        cursor: of a read-only transaction.
        table: with at least one column that the role may read.
        most_rows: how many rows at most; fewer if the table has many columns.

    Raises:
        InspectionError: a value can't be read as its type.
    """
    import pyarrow as pa

    columns = [column for column in table.columns if column.is_readable]
    source = f"{quote_name(table.schema)}.{quote_name(table.name)}"
    most = min(most_rows, MOST_VALUES // len(columns))
    expected = estimate_rows(cursor, source)
    # A view has no blocks to choose from, and PostgreSQL samples no foreign table.
    can_be_sampled = table.kind in ("table", "partitioned table", "materialized view")
    is_drawn = can_be_sampled and expected > 2 * most
    if is_drawn:
        # Some blocks more than needed, because they are drawn by lot; the same ones at each call.
        source += f" TABLESAMPLE SYSTEM ({min(100, 120 * most / expected):.6f}) REPEATABLE (0)"
    selected = ", ".join(f"{_expression(column)} AS {quote_name(column.name)}" for column in columns)
    types = {"integer": pa.int64(), "number": pa.float64(), "time": pa.float64()}
    schema = pa.schema([(column.name, types.get(form_of(column), pa.string())) for column in columns])
    # One row more than wanted tells whether there are more.
    statement = f"SELECT {selected} FROM {source} LIMIT {most + 1}"  # noqa: S608 every name is quoted
    with open_batches(cursor, statement, schema, InspectionError) as batches:
        rows = pa.Table.from_batches(batches, schema)
    is_all = not is_drawn and rows.num_rows <= most
    rows = rows.slice(0, most)
    total = rows.num_rows if is_all else max(expected, rows.num_rows)
    part = f"{rows.num_rows:,} of about {total:,} rows"
    if is_all:
        way = f"all {total:,} rows"
    elif is_drawn:
        way = f"{part}, in blocks that were drawn by lot (TABLESAMPLE SYSTEM)"
    else:
        way = f"{part}, in no order (LIMIT), because a {table.kind} of this size is not drawn by lot"
    cursor.execute("SELECT extract(epoch FROM transaction_timestamp())::float8")
    ((read_at,),) = cursor.fetchall()
    return Sample(rows, total, is_all, way, read_at)


def _expression(column: FoundColumn) -> str:
    name, form = quote_name(column.name), form_of(column)
    if form == "integer":
        return name
    if form == "number":
        return f"{name}::float8"
    if form == "time":
        return f"extract(epoch FROM {name})::float8"
    if form == "text":
        return f"left({name}::text, {LONGEST_TEXT})"
    return f"CASE WHEN {name} IS NOT NULL THEN 't' END"
