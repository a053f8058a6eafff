"""A table that the platform itself makes and writes: its columns, its key, and which of two rows for one key stays.

Belongs here: how such a table is made, refused and written. Does not belong here: the columns of one particular table,
and tables that are only read (`declared`).
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from credit_assets.settings.names import quote_name, quote_names, quote_table, split_table
from credit_assets.tables.declared import (
    describe_other_schemas,
    find_other_schemas,
    has_unique_index,
    read_column_types,
)
from resources.errors import PlatformError

if TYPE_CHECKING:
    import pyarrow as pa
    from psycopg2.extensions import cursor


@dataclass(frozen=True)
class WrittenTable:
    """A table that the platform writes.

    Attributes:
        name: may be qualified as `schema.table`.
        setting: the key of the settings file that names it.
        content: what its rows are, for messages.
        columns: the SQL type of each column, as PostgreSQL names it; none may be NULL.
        key: the column that is its primary key.
        version: the column by which of two rows for one key the greater one stays.
        error: what is raised if the table is another one.
        reasons: why a column must be of its type, if settings or another table decide that.
    """

    name: str
    setting: str
    content: str
    columns: Mapping[str, str]
    key: str
    version: str
    error: type[PlatformError]
    reasons: Mapping[str, str] = field(default_factory=dict)


def row_schema(columns: Mapping[str, str]) -> "pa.Schema":
    """The columns of rows that are to be written, with their types.

    Args:
        columns: the SQL type of each.
    """
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "bigint": pa.int64(),
        "integer": pa.int32(),
        "double precision": pa.float64(),
        "timestamp with time zone": pa.timestamp("us", "UTC"),
    }
    return pa.schema([(name, types[kind]) for name, kind in columns.items()])


def create_table(cursor: "cursor", table: WrittenTable) -> None:
    """Makes the table if it is missing. A role without the right to create tables may use one that is there.

    Args:
        cursor: of a transaction that may write.
        table: which table it is.

    Raises:
        PlatformError: the class that the table names. There is a table of this name with other columns, or without its
            key.
    """
    found = read_column_types(cursor, table.name)
    if not found:
        if others := find_other_schemas(cursor, table.name):
            said = describe_other_schemas(table.name, table.setting, others)
            raise table.error(f"{said}, or public.{table.name} to have a new one there")
        _require_schema(cursor, table)
        # Two who create one table at the same moment would meet an error of PostgreSQL's catalog.
        lock_table(cursor, table)
        columns = ", ".join(f"{quote_name(name)} {kind} NOT NULL" for name, kind in table.columns.items())
        # All rows are updated again and again. Half of each page is free for that, so that nothing grows.
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {quote_table(table.name)} ({columns}, PRIMARY KEY ({quote_name(table.key)})) "
            "WITH (fillfactor = 50)"
        )
        found = read_column_types(cursor, table.name)
    if found != table.columns:
        wrong = [
            f"{name} is {found.get(name, 'missing')} (expected {table.columns.get(name, 'no such column')}"
            + (f", {table.reasons[name]})" if name in table.reasons else ")")
            for name in sorted({*found, *table.columns})
            if found.get(name) != table.columns.get(name)
        ]
        raise table.error(
            f"table {table.name} is not a table of {table.content}: {', '.join(wrong)}. Rename it, or name another "
            f"table in {table.setting}"
        )
    if not has_unique_index(cursor, table.name, table.key):
        raise table.error(
            f"table {table.name} has no unique index on its column {table.key}, so that one {table.key} could get two "
            f"rows: make {table.key} its primary key"
        )


def _require_schema(cursor: "cursor", table: WrittenTable) -> None:
    *schemas, _ = split_table(table.name)
    schema = schemas[0] if schemas else ""
    cursor.execute("SELECT %s = '' OR to_regnamespace(quote_ident(%s)) IS NOT NULL", (schema, schema))
    if cursor.fetchone() != (True,):
        raise table.error(
            f"{table.setting} is {table.name}, and the database has no schema {schema}: create it, or correct "
            f"{table.setting} in the settings"
        )


def lock_table(cursor: "cursor", table: WrittenTable) -> None:
    """Waits for every other transaction that called this for the same table. It holds until the transaction ends.

    It needs no right to the table, and stops nobody who does not call it.
    """
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (table.name,))


def upsert_rows(cursor: "cursor", table: WrittenTable, rows: "pa.Table") -> int:
    """Writes rows; a key that has one gets the new one, unless what is there has a greater version.

    To write the same rows again changes nothing else, so that a caller may repeat it after any error.

    Args:
        cursor: of a transaction that may write. Its role needs INSERT, UPDATE and SELECT on the table, and TEMPORARY
            on the database.
        table: which table it is.
        rows: with the table's columns; no key is there twice.

    Returns:
        How many rows were written. It is less than the number of `rows` if some were there in a greater version.
    """
    import pyarrow.csv as pv

    body, names = io.BytesIO(), quote_names(table.columns)
    typed = rows.select(list(table.columns)).cast(row_schema(table.columns))
    pv.write_csv(typed, body, pv.WriteOptions(include_header=False))
    body.seek(0)
    target = quote_table(table.name)
    cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS new_rows (LIKE {target}) ON COMMIT DROP")
    cursor.execute("TRUNCATE pg_temp.new_rows")
    cursor.copy_expert(f"COPY pg_temp.new_rows ({names}) FROM STDIN (FORMAT csv)", body)
    columns = {name: quote_name(name) for name in table.columns}
    updated = ", ".join(f"{each} = excluded.{each}" for name, each in columns.items() if name != table.key)
    key, version = columns[table.key], columns[table.version]
    # In the order of the key: two who write the same keys wait for each other, and neither is refused.
    cursor.execute(
        f"INSERT INTO {target} AS stored ({names}) SELECT {names} FROM pg_temp.new_rows "  # noqa: S608 all names are quoted
        f"ORDER BY {key} ON CONFLICT ({key}) DO UPDATE SET {updated} WHERE stored.{version} <= excluded.{version}"
    )
    return cursor.rowcount
