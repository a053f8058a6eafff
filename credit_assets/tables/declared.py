"""A table as the settings declare it, compared with the one that is in the database.

Belongs here: the catalogue, and the refusal of a table that has other columns. Does not belong here: what can be read
(`kinds`), reading rows (`rows`), and the columns of one particular table.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from credit_assets.settings.columns import Column
from credit_assets.settings.names import quote_name, quote_table, spell_table, split_table
from credit_assets.tables.kinds import SQL_TYPES, ColumnType, list_kinds
from credit_assets.tables.ways_out import suggest_remedy
from resources.errors import PlatformError

if TYPE_CHECKING:
    from psycopg2.extensions import cursor

CORRECT_NAME = "correct its name in the settings"
CHANGE_HERE = "The settings declare this column for the loans too, so change its type in this table"


@dataclass(frozen=True)
class DeclaredTable:
    """A table that is read.

    Attributes:
        name: may be qualified as `schema.table`.
        setting: the key of the settings file that names it.
        columns: every column that is needed, with its kind: a key of `kinds.SQL_TYPES`.
        error: what is raised if the table is another than declared.
        advise: what to do about a column of another type that the settings declare without a `type`, by its name.
        reasons: why a column is needed, by its name, if its own line in the settings does not say so.
        shared: columns that another table has too. One line of the settings declares both, so this table has to change.
    """

    name: str
    setting: str
    columns: Mapping[str, str]
    error: type[PlatformError]
    advise: Mapping[str, Callable[[ColumnType], str]] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    shared: Collection[str] = ()

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


def explain_other_times(columns: Mapping[str, Column]) -> dict[str, str]:
    """The columns that dates lie before, each with the reason why a table needs it.

    Args:
        columns: what the settings declare of the table.
    """
    return {
        before: f'because it is the time in before = "{before}" of {name}'
        for name, column in columns.items()
        if (before := column.before_column)
    }


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
            reason = f", {table.reasons[name]}" if name in table.reasons else ""
            other = f"name a view that has it in {table.setting}" if name in table.shared else CORRECT_NAME
            raise table.error(f"table {table.name} has no column {name} (expected {types}{reason}): add it, or {other}")
        if kind not in list_kinds(found[name]):
            raise table.error(
                f"column {table.name}.{name} is of type {found[name]}; expected {kind} "
                f"({', '.join(sorted(SQL_TYPES[kind]))}). {_suggest(table, name, found, cursor)}"
            )
    return found


def _suggest(table: DeclaredTable, name: str, found: Mapping[str, ColumnType], cursor: "cursor") -> str:
    """What to do about a column of another type than declared, in a table with these columns."""
    advice = table.advise[name](found[name]) if name in table.advise else CHANGE_HERE if name in table.shared else ""
    reader = cursor.connection.info.user
    return suggest_remedy(table.name, table.setting, name, table.columns[name], found, reader, advice)
