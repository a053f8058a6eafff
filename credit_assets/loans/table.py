"""The loans table: what is expected of its columns, and the statement that reads it."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from credit_assets.settings.file import Settings
from credit_assets.settings.names import quote_name, quote_table
from credit_assets.tables.declared import DeclaredTable, check_columns, check_time_zone, explain_other_times
from credit_assets.tables.expressions import TimeColumn, order_by, select_columns
from credit_assets.tables.kinds import ColumnType, list_kinds, make_plain_types, make_schema
from resources.errors import PlatformError

if TYPE_CHECKING:
    import pyarrow as pa
    from psycopg2.extensions import cursor


BOOLEAN = "{} is boolean: write negative = false and positive = true in [target], or the other way round"
# Without a dataset no age is compared with another, so that any time will do.
NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


class LoansError(PlatformError, ValueError):
    """The table is not what the settings say: names the table or column, what was expected, and what to do."""


def expected_types(settings: Settings) -> dict[str, str]:
    """Every column that is read, in the order it is read, with its kind (`tables.kinds`)."""
    return {
        settings.table.id: "id",
        settings.table.created_at: "time",
        settings.target.column: settings.target.kind,
        **{name: column.type for name, column in settings.columns.items()},
    }


def needed_types(settings: Settings) -> dict[str, str]:
    """The columns of `expected_types`, and those that only a statement reads, because a date lies before them."""
    types = expected_types(settings)
    return types | {name: "time" for name in explain_other_times(settings.columns) if name not in types}


def table_sql(settings: Settings) -> str:
    """The table's name as statements spell it."""
    return quote_table(settings.table.name)


def check_table(cursor: "cursor", settings: Settings) -> dict[str, ColumnType]:
    """Refuses a table that can't be read as the settings declare it, before a row is read.

    Returns:
        The type of each column of the table.

    Raises:
        LoansError: there is no such table, a column is missing, a column is of another type, the values of the target
            are not those of its type, or PostgreSQL does not know the time zone.
    """
    advise = {settings.target.column: partial(_advise_on_target, settings)}
    reasons = explain_other_times(settings.columns)
    table = DeclaredTable(settings.table.name, "table.name", needed_types(settings), LoansError, advise, reasons)
    found = check_columns(cursor, table)
    _refuse_other_values(found[settings.target.column], settings)
    check_time_zone(cursor, settings.table.time_zone, LoansError)
    return found


def _advise_on_target(settings: Settings, found: ColumnType) -> str:
    """What to write in [target], which has no `type`, if its column is of another type than its values."""
    target, kinds = settings.target, list_kinds(found)
    if found.base == "boolean":
        return BOOLEAN.format(f"{settings.table.name}.{target.column}")
    if target.positive is None:
        bound = "at_least" if target.at_least is not None else "at_most"
        return (
            f"{bound} in [target] goes with a number: name a column of numbers, or write negative and positive instead"
        )
    if target.kind == "integer" and "number" in kinds:
        repaid, defaulted = target.stored_values
        return (
            f"Write negative = {float(repaid)} and positive = {float(defaulted)} in [target], because "
            "the column may have fractions"
        )
    if kinds & {"number", "category"}:
        words = "numbers" if "number" in kinds else "texts"
        return f"Write negative and positive in [target] as the {words} that the column has"
    return "Write negative and positive in [target] for a column that has two numbers, two texts, or true and false"


def _refuse_other_values(found: ColumnType, settings: Settings) -> None:
    """Raises LoansError if the target's column, which is of this type, can't have the values of the settings."""
    target, column = settings.target, f"column {settings.table.name}.{settings.target.column}"
    values = (target.negative, target.positive)
    if found.base == "boolean" and set(target.stored_values) not in ({"t", "f"}, {"true", "false"}):
        raise LoansError(BOOLEAN.format(column))
    if found.base != "boolean" and any(isinstance(value, bool) for value in values):
        raise LoansError(
            f"{column} is of type {found}, and true and false are the values of a boolean: write the two values that "
            "the column has as negative and positive in [target]"
        )
    if found.base == "character" and any(isinstance(value, str) and value.endswith(" ") for value in values):
        raise LoansError(
            f"{column} is of type {found}, and PostgreSQL ignores the blanks at the end of its values: write negative "
            "and positive in [target] without them"
        )


def columns_sql(settings: Settings, as_of: datetime | None, found: Mapping[str, ColumnType] | None = None) -> str:
    """Every column that is read, in the order it is read, as the statement prints it.

    The target of a loan that is too young for an outcome is read as NULL, so that a dataset knows no outcome that may
    still change.

    Args:
        settings: which columns are read.
        as_of: the time that ages and outcomes are of; None if there is no dataset that they could be of.
        found: the type of each column of the table; None for a table whose types are plain.
    """
    found = found or make_plain_types(needed_types(settings))
    target, zone = settings.target, settings.table.time_zone
    columns = select_columns(expected_types(settings), settings.columns, found, zone, as_of or NO_TIME)
    if set(target.stored_values) == {"true", "false"}:
        columns[target.column] = f"{quote_name(target.column)}::text"  # COPY prints a boolean as t and f
    if as_of and (mature := target.find_newest_mature(as_of)):
        is_young = is_later_sql(settings, mature.isoformat(), found)
        columns[target.column] = f"CASE WHEN {is_young} THEN NULL ELSE {columns[target.column]} END"
    return ", ".join(columns.values())


def read_created_at(settings: Settings, found: Mapping[str, ColumnType] | None = None) -> TimeColumn:
    """The column that says when a loan was created, with its type and its time zone."""
    found = found or make_plain_types(needed_types(settings))
    return TimeColumn(settings.table.created_at, found[settings.table.created_at], settings.table.time_zone)


def is_later_sql(settings: Settings, time: str, found: Mapping[str, ColumnType] | None = None) -> str:
    """The condition that a row was created later than a time; NULL for a row without a time."""
    return f"{read_created_at(settings, found).instant} > '{time}'::timestamptz"


def select_sql(settings: Settings, as_of: datetime, found: Mapping[str, ColumnType] | None = None) -> str:
    """The statement that reads the rows as of a time, in the order of their ids.

    A row without a time is read too, for the checks to refuse: left out, nobody would miss it.

    Args:
        settings: which columns are read.
        as_of: rows that were created later are left out.
        found: the type of each column of the table; None for a table whose types are plain.
    """
    found = found or make_plain_types(needed_types(settings))
    return (
        f"SELECT {columns_sql(settings, as_of, found)} FROM {table_sql(settings)} "  # noqa: S608 all names are quoted
        f"WHERE ({is_later_sql(settings, as_of.isoformat(), found)}) IS NOT TRUE "
        f"ORDER BY {order_by(settings.table.id, found[settings.table.id])}"
    )


def arrow_schema(settings: Settings, *, text_ids: bool = False) -> "pa.Schema":
    """The types that the rows are stored with: 64-bit numbers, text, UTC microseconds.

    Args:
        settings: the columns.
        text_ids: whether ids are text, as those of a UUID are. The type of the table's column decides that.
    """
    ids = {settings.table.id: "category"} if text_ids else {}
    return make_schema(expected_types(settings) | ids)


def describe_schema(settings: Settings, stored: Mapping[str, str]) -> dict[str, str]:
    """The declared columns with their types, as facts and manifests have them.

    Args:
        settings: the columns.
        stored: the types of the rows that they are compared with; whether ids are text follows from them.
    """
    schema = arrow_schema(settings, text_ids=stored.get(settings.table.id) == "string")
    return {field.name: str(field.type) for field in schema}


def refuse_other_tables(facts: Mapping[str, Any], settings: Settings) -> None:
    """Raises LoansError if a dataset was read from another table, or with other columns, than the settings declare."""
    expected = describe_schema(settings, facts["schema"])
    if facts["table"] != settings.table.name or facts["schema"] != expected:
        raise LoansError(
            f"the latest loan_dataset was read from table {facts['table']} with columns {', '.join(facts['schema'])}; "
            f"the settings declare {settings.table.name} with {', '.join(expected)}. Materialize loan_dataset again"
        )


def describe_other_columns(schema: Mapping[str, str], features: Collection[str], settings: Settings) -> str | None:
    """Which columns a model was made from that the settings don't declare, and the other way round; None if the same.

    Args:
        schema: the columns of the model's dataset with their types, as its manifest records them.
        features: which of them the model learned from.
        settings: what the columns are compared with.
    """
    declared = describe_schema(settings, schema)
    made, wanted = (
        {name: f"a {'feature' if name in learned else 'column'} of type {kind}" for name, kind in types.items()}
        for types, learned in ((schema, features), (declared, settings.features))
    )
    differences = [
        f"{name} is {made.get(name, 'no column')} there and {wanted.get(name, 'no column')} in the settings"
        for name in sorted({*made, *wanted})
        if made.get(name) != wanted.get(name)
    ]
    return "; ".join(differences) or None
