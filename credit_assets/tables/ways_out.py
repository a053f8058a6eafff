"""What a person can do about a column that can't be read as it is declared: other settings, or the SQL of a view.

Belongs here: advice. Does not belong here: what can be read (`kinds`).
"""

from credit_assets.settings.names import LONGEST, quote_name, quote_table, split_table
from credit_assets.tables.kinds import DECLARABLE, ColumnType, list_kinds

CASTS = {
    "integer": "{}::bigint",
    "number": "{}::numeric",
    "boolean": "{}::boolean",
    "date": "{}::timestamptz",
    "time": "{}::timestamptz",
}
# How a value becomes a text, or a value that can be cast, where a plain cast fails or says little.
FIRST = {
    "json": "({} #>> '{{}}')",
    "jsonb": "({} #>> '{{}}')",
    "bytea": "encode({}, 'hex')",
    "money": "{}::numeric",
    "interval": "(extract(epoch FROM {}) / 86400)",
}


def suggest_remedy(
    table: str, setting: str, column: str, kind: str, found: ColumnType, reader: str, advice: str = ""
) -> str:
    """Some sentences for the error that refuses a column.

    Args:
        table: where the column is.
        setting: the key of the settings file that names the table.
        column: its name.
        kind: what it was to be read as.
        found: its type.
        reader: the user of the database who reads the table.
        advice: what else to do, of a column that is declared without a `type`.
    """
    others = [f'"{each}"' for each in DECLARABLE if each in list_kinds(found)]
    if kind in DECLARABLE and others and not advice:
        advice = f"It can be read as {' or '.join(others)}: correct its type in the settings"
    view = (
        f"read the table through a view that converts it: its owner runs the statements below, {setting} then names "
        f"the view, and the settings declare the new column: {write_view(table, column, kind, found, reader)}"
    )
    return f"{advice}. Or {view}" if advice else f"{view[0].upper()}{view[1:]}"


def write_view(table: str, column: str, kind: str, found: ColumnType, reader: str) -> str:
    """The statements for a view with all columns of a table and one more that can be read, and for who may read it."""
    *schemas, name = split_table(table)
    view = ".".join(quote_name(part) for part in (*schemas, _shorten(f"{name}_view", "view_of_loans")))
    new = quote_name(_shorten(f"{column}_{kind}", kind))
    converted = convert(quote_name(column), kind, found)
    return (
        f"CREATE VIEW {view} AS SELECT *, {converted} AS {new} FROM {quote_table(table)}; "  # noqa: S608 all names are quoted
        f"GRANT SELECT ON {view} TO {quote_name(reader)}"
    )


def convert(value: str, kind: str, found: ColumnType) -> str:
    """An expression that reads a value of any type as one of this kind, as far as its values allow."""
    base = found.base
    if base.endswith("[]"):
        value = f"array_to_string({value}, ',')"
    elif base.endswith("range"):
        value = f"lower({value})"
    elif base == "boolean" and kind in ("integer", "number"):
        value = f"{value}::integer"
    elif base.startswith(("date", "timestamp")) and kind in ("integer", "number"):
        value = f"extract(epoch FROM {value})"
    elif base in FIRST and (base, kind) != ("interval", "category"):
        value = FIRST[base].format(value)
    return CASTS.get(kind, "{}::text").format(value)


def _shorten(name: str, short: str) -> str:
    return name if len(name.encode()) <= LONGEST else short
