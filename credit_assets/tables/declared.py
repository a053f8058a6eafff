"""A table as the settings declare it, compared with the one that is in the database.

Belongs here: the catalogue, and the refusal of a table that has other columns. Does not belong here: what can be read
(`kinds`), reading rows (`rows`), and the columns of one particular table.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from credit_assets.settings.names import quote_name, quote_table, spell_table, split_table
from credit_assets.tables.kinds import SQL_TYPES, ColumnType, list_kinds
from credit_assets.tables.ways_out import suggest_remedy
from resources.errors import PlatformError

if TYPE_CHECKING:
    from psycopg2.extensions import cursor


@dataclass(frozen=True)
class DeclaredTable:
    """A table that is read.

    Attributes:
        name: may be qualified as `schema.table`.
        setting: the key of the settings file that names it.
        columns: every column that is needed, with its kind: a key of `kinds.SQL_TYPES`.
        error: what is raised if the table is another than declared.
        advise: what to do about a column of another type that the settings declare without a `type`, by its name.
    """

    name: str
    setting: str
    columns: Mapping[str, str]
    error: type[PlatformError]
    advise: Mapping[str, Callable[[ColumnType], str]] = field(default_factory=dict)

    @property
    def sql(self) -> str:
        """The name as statements spell it."""
        return quote_table(self.name)


def read_columns(cursor: "cursor", table: str) -> dict[str, ColumnType]:
    """The type of each column, in the order of the table; empty if there is no such table or view."""
    # A numeric type has its scale in the last 11 bits of its modifier, from which PostgreSQL takes 4. A domain has a
    # modifier of its own.
    cursor.execute(
        "WITH RECURSIVE base AS ("
        "SELECT attnum, attname, atttypid, atttypid AS oid, atttypmod AS modifier "
        "FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
        "WHERE attrelid = to_regclass(%s) AND relkind IN ('r', 'v', 'm', 'p', 'f') AND attnum > 0 AND NOT attisdropped "
        "UNION ALL SELECT attnum, attname, atttypid, typbasetype, typtypmod "
        "FROM base JOIN pg_type ON pg_type.oid = base.oid WHERE typtype = 'd') "
        "SELECT attname, format_type(atttypid, NULL), CASE WHEN typtype = 'e' THEN 'enum' "
        "WHEN typname = 'citext' THEN 'citext' ELSE format_type(base.oid, NULL) END, "
        "base.oid = 'pg_catalog.numeric'::regtype AND modifier >= 0 AND (modifier - 4) & 2047 = 0 "
        "FROM base JOIN pg_type ON pg_type.oid = base.oid WHERE typtype <> 'd' ORDER BY attnum",
        (quote_table(table),),
    )
    return {name: ColumnType(*found) for name, *found in cursor.fetchall()}


def read_column_types(cursor: "cursor", table: str) -> dict[str, str]:
    """The SQL type of each column, without its length, in the order of the table; empty if there is no such table."""
    return {name: column.name for name, column in read_columns(cursor, table).items()}


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


def check_time_zone(cursor: "cursor", zone: str, error: type[PlatformError]) -> None:
    """Raises `error` if PostgreSQL has no time zone of this name, because it would read each time as another one."""
    if zone == "UTC":
        return
    cursor.execute("SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = %s)", (zone,))
    if cursor.fetchone() != (True,):
        raise error(
            f"table.time_zone: the database knows no time zone {zone}; name one that pg_timezone_names has, or update "
            "the time zones of the server"
        )


def check_columns(cursor: "cursor", table: DeclaredTable) -> dict[str, ColumnType]:
    """Refuses a table that can't be read as it is declared, before a row is read.

    Returns:
        The type of each column, as `read_columns`.

    Raises:
        PlatformError: the class that the table declares. There is no such table, a column is missing, or a column is
            of another type.
    """
    found = read_columns(cursor, table.name)
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
        if kind not in list_kinds(found[name]):
            advise = table.advise.get(name)
            reader = cursor.connection.info.user
            raise table.error(
                f"column {table.name}.{name} is of type {found[name]}; expected {kind} "
                f"({', '.join(sorted(SQL_TYPES[kind]))}). "
                + suggest_remedy(
                    table.name, table.setting, name, kind, found, reader, advise(found[name]) if advise else ""
                )
            )
    return found
