"""The loans table: what is expected of its columns, and the statement that reads it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from credit_assets.settings.file import Settings
from credit_assets.settings.names import quote_name, quote_table
from credit_assets.tables.declared import DeclaredTable, check_columns, make_schema
from resources.errors import PlatformError

if TYPE_CHECKING:
    import pyarrow as pa
    from psycopg2.extensions import cursor


class LoansError(PlatformError, ValueError):
    """The table is not what the settings say: names the table or column, what was expected, and what to do."""


def expected_types(settings: Settings) -> dict[str, str]:
    """Every column that is read, in the order it is read, with its kind (`tables.declared`)."""
    return {
        settings.table.id: "integer",
        settings.table.created_at: "time",
        settings.target.column: settings.target.kind,
        **{name: column.type for name, column in settings.columns.items()},
    }


def table_sql(settings: Settings) -> str:
    """The table's name as statements spell it."""
    return quote_table(settings.table.name)


def check_table(cursor: "cursor", settings: Settings) -> None:
    """Refuses a table that can't be read as the settings declare it, before a row is read.

    Raises:
        LoansError: there is no such table, a column is missing, a column is of another type, or the values of the
            target are not those of its type.
    """
    table, target = settings.table.name, settings.target
    found = check_columns(cursor, DeclaredTable(table, "table.name", expected_types(settings), LoansError))
    kind, values = found[target.column], (target.negative, target.positive)
    if kind == "boolean" and set(target.stored_values) not in ({"t", "f"}, {"true", "false"}):
        raise LoansError(
            f"column {table}.{target.column} is boolean: write negative = false and positive = true in [target], or "
            "the other way round"
        )
    if kind != "boolean" and any(isinstance(value, bool) for value in values):
        raise LoansError(
            f"column {table}.{target.column} is of type {kind}, and true and false are the values of a boolean: write "
            "the two values that the column has as negative and positive in [target]"
        )


def columns_sql(settings: Settings, as_of: datetime | None) -> str:
    """Every column that is read, in the order it is read, as the statement prints it.

    The target of a loan that is too young for an outcome is read as NULL, so that a dataset knows no outcome that may
    still change.
    """
    columns = {
        name: quote_name(name) + ("::timestamp" if kind == "time" else "")
        for name, kind in expected_types(settings).items()
    }
    target = quote_name(settings.target.column)
    if set(settings.target.stored_values) == {"true", "false"}:
        target = columns[settings.target.column] = f"{target}::text"  # COPY prints a boolean as t and f
    if as_of and (mature := settings.target.find_newest_mature(as_of)):
        is_young = is_later_sql(settings, mature.isoformat())
        columns[settings.target.column] = f"CASE WHEN {is_young} THEN NULL ELSE {target} END"
    return ", ".join(columns.values())


def is_later_sql(settings: Settings, time: str) -> str:
    """The condition that a row was created later than a time; NULL for a row without a time."""
    return f"{quote_name(settings.table.created_at)} > '{time}'::timestamptz"


def select_sql(settings: Settings, as_of: datetime) -> str:
    """The statement that reads the rows as of a time, in the order of their ids.

    A row without a time is read too, for the checks to refuse: left out, nobody would miss it.
    """
    return (
        f"SELECT {columns_sql(settings, as_of)} FROM {table_sql(settings)} "  # noqa: S608 all names are quoted
        f"WHERE ({is_later_sql(settings, as_of.isoformat())}) IS NOT TRUE "
        f"ORDER BY {quote_name(settings.table.id)}"
    )


def arrow_schema(settings: Settings) -> "pa.Schema":
    """The types that the rows are stored with: 64-bit numbers, text, UTC microseconds."""
    return make_schema(expected_types(settings))


def refuse_other_tables(facts: Mapping[str, Any], settings: Settings) -> None:
    """Raises LoansError if a dataset was read from another table, or with other columns, than the settings declare."""
    expected = {field.name: str(field.type) for field in arrow_schema(settings)}
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
    declared = {field.name: str(field.type) for field in arrow_schema(settings)}
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
