"""A table as the settings declare it: its name in statements, and the types that its columns may have.

Belongs here: the kinds of columns, and the refusal of a table that has others. Does not belong here: reading rows
(`rows`), and the columns of one particular table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from credit_assets.settings.names import quote_name, quote_table, spell_table, split_table
from resources.errors import PlatformError

if TYPE_CHECKING:
    import pyarrow as pa
    from psycopg2.extensions import cursor

INTEGERS = {"smallint", "integer", "bigint"}
SQL_TYPES = {
    "integer": INTEGERS,
    "number": INTEGERS | {"numeric", "real", "double precision"},
    "category": {"text", "character varying", "character", "boolean"},
    # A name is compared with a text: `character` is not, because it ignores spaces at the end.
    "name": {"text", "character varying"},
    "time": {"timestamp without time zone", "timestamp with time zone"},
}


@dataclass(frozen=True)
class DeclaredTable:
    """A table that is read.

    Attributes:
        name: may be qualified as `schema.table`.
        setting: the key of the settings file that names it.
        columns: every column that is needed, with its kind: a key of `SQL_TYPES`.
        error: what is raised if the table is another than declared.
    """

    name: str
    setting: str
    columns: Mapping[str, str]
    error: type[PlatformError]

    @property
    def sql(self) -> str:
        """The name as statements spell it."""
        return quote_table(self.name)


def read_column_types(cursor: "cursor", table: str) -> dict[str, str]:
    """The SQL type of each column, without its length, in the order of the table; empty if there is no such table."""
    cursor.execute(
        "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute "
        "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        (quote_table(table),),
    )
    return dict(cursor.fetchall())


def find_other_schemas(cursor: "cursor", table: str) -> list[str]:
    """Where the role would find a table that is named without a schema, and that `public` does not have.

    Returns:
        The name with each of these schemas, as a settings file spells it.
    """
    *schema, name = split_table(table)
    if schema:
        return []
    cursor.execute(
        "SELECT nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
        "WHERE relname = %s AND relkind IN ('r', 'p', 'v', 'm', 'f') AND relpersistence <> 't' "
        "AND nspname NOT IN ('public', 'pg_catalog', 'information_schema') AND has_schema_privilege(n.oid, 'USAGE') "
        "ORDER BY nspname",
        (name,),
    )
    return [spell_table(f"{quote_name(found)}.{quote_name(name)}") for (found,) in cursor.fetchall()]


def describe_other_schemas(table: str, setting: str, found: Sequence[str]) -> str:
    """The sentence on a table that is not in `public`, where a name without a schema is looked for."""
    return (
        f"table {table} is not in the schema public, where a name without a schema is looked for. Write {setting} with "
        f"its schema: {' or '.join(found)}"
    )


def has_unique_index(cursor: "cursor", table: str, column: str) -> bool:
    """Whether PostgreSQL itself keeps two rows of a table from having one value of this column."""
    cursor.execute(
        "SELECT EXISTS (SELECT FROM pg_index AS i "
        "JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
        "WHERE i.indrelid = to_regclass(%s) AND i.indisunique AND i.indisvalid AND i.indnkeyatts = 1 "
        "AND i.indpred IS NULL AND a.attname = %s)",
        (quote_table(table), column),
    )
    return cursor.fetchone() == (True,)


def check_columns(cursor: "cursor", table: DeclaredTable) -> dict[str, str]:
    """Refuses a table that can't be read as it is declared, before a row is read.

    Returns:
        The SQL type of each column, as `read_column_types`.

    Raises:
        PlatformError: the class that the table declares. There is no such table, a column is missing, or a column is
            of another type.
    """
    found = read_column_types(cursor, table.name)
    if not found:
        if others := find_other_schemas(cursor, table.name):
            raise table.error(describe_other_schemas(table.name, table.setting, others))
        raise table.error(
            f"table {table.name} is not in the database: create it, or correct {table.setting} in the settings"
        )
    for name, kind in table.columns.items():
        if name not in found:
            types = " or ".join(sorted(SQL_TYPES[kind]))
            raise table.error(
                f"table {table.name} has no column {name} (expected {types}): add it, or correct its name in "
                "the settings"
            )
        if found[name] not in SQL_TYPES[kind]:
            raise table.error(
                f"column {table.name}.{name} is of type {found[name]}; expected {kind} "
                f"({', '.join(sorted(SQL_TYPES[kind]))}). Change the column or its type in the settings"
            )
    return found


def make_schema(columns: Mapping[str, str]) -> "pa.Schema":
    """The types that columns of these kinds are stored with: 64-bit numbers, text, UTC microseconds."""
    import pyarrow as pa

    text, time = pa.string(), pa.timestamp("us", "UTC")
    types = {"integer": pa.int64(), "number": pa.float64(), "category": text, "name": text, "time": time}
    return pa.schema([(name, types[kind]) for name, kind in columns.items()])
