"""What a person can do about a column that can't be read as it is declared: other settings, or the SQL of a view.

Belongs here: advice. Does not belong here: what can be read (`kinds`), and the SQL of a value (`casts`).
"""

from collections.abc import Mapping

from credit_assets.settings.names import LONGEST, quote_name, quote_table, split_table
from credit_assets.tables.casts import convert
from credit_assets.tables.kinds import DECLARABLE, ColumnType, list_kinds


def suggest_remedy(
    table: str,
    setting: str,
    column: str,
    kind: str,
    columns: Mapping[str, ColumnType],
    reader: str,
    advice: str = "",
) -> str:
    """Some sentences for the error that refuses a column.

    Args:
        table: where the column is.
        setting: the key of the settings file that names the table.
        column: its name.
        kind: what it was to be read as.
        columns: every column of the table with its type, in its order.
        reader: the user of the database who reads the table.
        advice: what else to do, of a column that is declared without a `type`.
    """
    found = columns[column]
    others = [f'"{each}"' for each in DECLARABLE if each in list_kinds(found)]
    if kind in DECLARABLE and others and not advice:
        advice = f"It can be read as {' or '.join(others)}: correct its type in the settings"
    statements = write_view(table, column, kind, columns, reader)
    if statements is None:
        return advice or f"No SQL makes its values a {kind}: name another column in the settings"
    view = (
        f"read the table through a view in which the column keeps its name: its owner runs the statements below, and "
        f"{setting} then names the view: {statements}"
    )
    return f"{advice}. Or {view}" if advice else f"{view[0].upper()}{view[1:]}"


def write_view(table: str, column: str, kind: str, columns: Mapping[str, ColumnType], reader: str) -> str | None:
    """The statements for a view with all columns of a table, of which one is converted, and for who may read it.

    The column keeps its name, because a feature has one name in the table of loans and in that of applications.

    Returns:
        None if no SQL converts the column.
    """
    converted = convert(quote_name(column), kind, columns[column])
    if converted is None:
        return None
    *schemas, name = split_table(table)
    view = ".".join(quote_name(part) for part in (*schemas, _shorten(f"{name}_view", "view_of_loans")))
    selected = ", ".join(
        f"{converted} AS {quote_name(column)}" if each == column else quote_name(each) for each in columns
    )
    return (
        f"CREATE VIEW {view} AS SELECT {selected} FROM {quote_table(table)}; "  # noqa: S608 all names are quoted
        f"GRANT SELECT ON {view} TO {quote_name(reader)}"
    )


def _shorten(name: str, short: str) -> str:
    return name if len(name.encode()) <= LONGEST else short
