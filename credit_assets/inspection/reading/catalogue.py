"""The catalogue: which tables a role can read, and the columns of one of them.

Belongs here: statements on PostgreSQL's own tables. Does not belong here: rows (`sample`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from credit_assets.settings.names import quote_name, quote_table, spell_table
from credit_assets.tables.declared import read_columns
from credit_assets.tables.kinds import ColumnType

if TYPE_CHECKING:
    from psycopg2.extensions import cursor

TABLES = """
SELECT space.nspname, class.relname, class.relkind::text,
    CASE class.relkind WHEN 'p' THEN (
        SELECT sum(greatest(leaf.reltuples, 0)) FROM pg_partition_tree(class.oid) AS part
        JOIN pg_class AS leaf ON leaf.oid = part.relid WHERE part.isleaf
    ) ELSE class.reltuples END,
    row_security_active(class.oid)
FROM pg_class AS class JOIN pg_namespace AS space ON space.oid = class.relnamespace
WHERE class.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT class.relispartition
    AND space.nspname <> 'information_schema' AND space.nspname NOT LIKE 'pg\\_%'
    AND has_schema_privilege(space.oid, 'USAGE') AND has_any_column_privilege(class.oid, 'SELECT')
ORDER BY space.nspname, class.relname
"""
# Beside the type, which `credit_assets.tables.declared` reads.
KEYS = """
SELECT column_.attname,
    coalesce((
        SELECT max(CASE WHEN index.indisprimary THEN 2 ELSE 1 END) FROM pg_index AS index
        WHERE index.indrelid = column_.attrelid AND index.indisunique AND index.indisvalid AND index.indpred IS NULL
            AND index.indnkeyatts = 1 AND index.indkey[0] = column_.attnum
    ), 0),
    has_column_privilege(column_.attrelid, column_.attnum, 'SELECT')
FROM pg_attribute AS column_
WHERE column_.attrelid = to_regclass(%s) AND column_.attnum > 0 AND NOT column_.attisdropped
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
        type: its type.
        key: `primary`, `unique` or empty: which index on it alone keeps two rows from having one value.
        is_readable: whether the role may read it.
    """

    name: str
    type: ColumnType
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
        hides_rows: whether policies decide which rows this user sees.
    """

    schema: str
    name: str
    kind: str = "table"
    estimate: int | None = None
    columns: Sequence[FoundColumn] = ()
    hides_rows: bool = False

    @property
    def full_name(self) -> str:
        """The schema and the name, as the settings spell them."""
        return spell_table(f"{quote_name(self.schema)}.{quote_name(self.name)}")


def read_tables(cursor: "cursor") -> list[FoundTable]:
    """Every table that the role can read, without those of PostgreSQL itself; a partition belongs to its table."""
    cursor.execute(TABLES)
    tables = [
        # A view, and a table that nobody has counted yet, have no statistics.
        FoundTable(
            schema,
            name,
            KINDS[kind],
            int(estimate) if estimate is not None and estimate > 0 else None,
            hides_rows=hides_rows,
        )
        for schema, name, kind, estimate, hides_rows in cursor.fetchall()
    ]
    return [replace(table, columns=_read_columns(cursor, table.full_name)) for table in tables]


def _read_columns(cursor: "cursor", table: str) -> list[FoundColumn]:
    types, keys = read_columns(cursor, table), ("", "unique", "primary")
    cursor.execute(KEYS, (quote_table(table),))
    found = {name: (keys[key], is_readable) for name, key, is_readable in cursor.fetchall()}
    return [FoundColumn(name, type_, *found[name]) for name, type_ in types.items()]


def estimate_rows(cursor: "cursor", source: str) -> int:
    """How many rows the planner expects of a table or view: it looks at the table's size, and reads no row.

    Args:
        cursor: of a transaction.
        source: the name as statements spell it.
    """
    cursor.execute(f"EXPLAIN (FORMAT JSON) SELECT FROM {source}")
    ((plan,),) = cursor.fetchall()
    return int(plan[0]["Plan"]["Plan Rows"])
