"""The catalogue: which tables a role can read, and the columns of one of them.

Belongs here: statements on PostgreSQL's own tables. Does not belong here: rows (`sample`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from credit_assets.settings.names import quote_name, spell_table

if TYPE_CHECKING:
    from psycopg2.extensions import cursor

TABLES = """
SELECT space.nspname, class.relname, class.relkind::text,
    CASE class.relkind WHEN 'p' THEN (
        SELECT sum(greatest(leaf.reltuples, 0)) FROM pg_partition_tree(class.oid) AS part
        JOIN pg_class AS leaf ON leaf.oid = part.relid WHERE part.isleaf
    ) ELSE class.reltuples END
FROM pg_class AS class JOIN pg_namespace AS space ON space.oid = class.relnamespace
WHERE class.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT class.relispartition
    AND space.nspname <> 'information_schema' AND space.nspname NOT LIKE 'pg\\_%'
    AND has_schema_privilege(space.oid, 'USAGE') AND has_any_column_privilege(class.oid, 'SELECT')
ORDER BY space.nspname, class.relname
"""
# A domain stands for another type, which may be a domain itself.
COLUMNS = """
WITH RECURSIVE resolved AS (
    SELECT oid AS type, oid AS base, typtype, typbasetype FROM pg_type
    UNION ALL
    SELECT resolved.type, below.oid, below.typtype, below.typbasetype
    FROM resolved JOIN pg_type AS below ON below.oid = resolved.typbasetype WHERE resolved.typtype = 'd'
)
SELECT column_.attname, format_type(column_.atttypid, NULL), format_type(resolved.base, NULL), resolved.typtype = 'e',
    coalesce((
        SELECT max(CASE WHEN index.indisprimary THEN 2 ELSE 1 END) FROM pg_index AS index
        WHERE index.indrelid = column_.attrelid AND index.indisunique AND index.indisvalid AND index.indpred IS NULL
            AND index.indnkeyatts = 1 AND index.indkey[0] = column_.attnum
    ), 0),
    has_column_privilege(column_.attrelid, column_.attnum, 'SELECT')
FROM pg_attribute AS column_ JOIN resolved ON resolved.type = column_.atttypid AND resolved.typtype <> 'd'
WHERE column_.attrelid = format('%%I.%%I', %s::text, %s::text)::regclass
    AND column_.attnum > 0 AND NOT column_.attisdropped
ORDER BY column_.attnum
"""
KINDS = {
    "r": "table",
    "p": "partitioned table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
}


@dataclass(frozen=True)
class FoundColumn:
    """A column in the catalogue.

    Attributes:
        name: as PostgreSQL has it.
        sql_type: its type without a length, for people.
        base_type: the type that a domain stands for; else the same.
        is_enum: whether its values are those of an enum.
        key: `primary`, `unique` or empty: which index on it alone keeps two rows from having one value.
        is_readable: whether the role may read it.
    """

    name: str
    sql_type: str
    base_type: str = ""
    is_enum: bool = False
    key: str = ""
    is_readable: bool = True


@dataclass(frozen=True)
class FoundTable:
    """A table, view or foreign table that the role can read.

    Attributes:
        schema: its schema.
        name: its name.
        kind: what it is, one of `KINDS`.
        estimate: how many rows PostgreSQL's statistics say that it has; None if there are none.
        columns: its columns, in the order of the table.
    """

    schema: str
    name: str
    kind: str = "table"
    estimate: int | None = None
    columns: Sequence[FoundColumn] = ()

    @property
    def full_name(self) -> str:
        """The schema and the name, as the settings spell them."""
        return spell_table(f"{quote_name(self.schema)}.{quote_name(self.name)}")


def read_tables(cursor: "cursor") -> list[FoundTable]:
    """Every table that the role can read, without those of PostgreSQL itself; a partition belongs to its table."""
    cursor.execute(TABLES)
    rows = cursor.fetchall()
    return [
        FoundTable(
            schema,
            name,
            KINDS[kind],
            # A view, and a table that nobody has counted yet, have no statistics.
            int(estimate) if estimate is not None and estimate > 0 else None,
            read_columns(cursor, schema, name),
        )
        for schema, name, kind, estimate in rows
    ]


def read_columns(cursor: "cursor", schema: str, table: str) -> list[FoundColumn]:
    """The columns of a table, in its order."""
    cursor.execute(COLUMNS, (schema, table))
    keys = ("", "unique", "primary")
    return [
        FoundColumn(name, sql_type, base_type, is_enum, keys[key], is_readable)
        for name, sql_type, base_type, is_enum, key, is_readable in cursor.fetchall()
    ]


def estimate_rows(cursor: "cursor", source: str) -> int:
    """How many rows the planner expects of a table or view: it looks at the table's size, and reads no row.

    Args:
        cursor: of a transaction.
        source: the name as statements spell it.
    """
    cursor.execute(f"EXPLAIN (FORMAT JSON) SELECT FROM {source}")
    ((plan,),) = cursor.fetchall()
    return int(plan[0]["Plan"]["Plan Rows"])
