"""The SQL of a view that reads a value of one type as another kind.

Belongs here: casts that PostgreSQL has. Does not belong here: the SQL that reads a column as it is (`expressions`).
"""

from credit_assets.tables.kinds import INTEGERS, SQL_TYPES, TEXTS, TIMES, ColumnType

# Kinds that a text may say. Every other kind is a text itself, and every type can be printed as one.
CASTS = {
    "integer": "{}::bigint",
    "number": "{}::numeric",
    "boolean": "{}::boolean",
    "date": "{}::timestamptz",
    "time": "{}::timestamptz",
}
# PostgreSQL casts an enum to a text, and to nothing else.
PRINTED = {"enum", "citext", "name", '"char"'}
RANGES = {
    "int4range": "integer",
    "int8range": "bigint",
    "numrange": "numeric",
    "daterange": "date",
    "tsrange": "timestamp without time zone",
    "tstzrange": "timestamp with time zone",
}
RANGES |= {name.replace("range", "multirange"): base for name, base in RANGES.items()}
# A type that is measured, with the SQL of its number: a time of day in seconds, an interval in days.
MEASURED = {
    "money": "{}::numeric",
    "interval": "(extract(epoch FROM {}) / 86400)",
    "time without time zone": "extract(epoch FROM {})",
    "time with time zone": "extract(epoch FROM {})",
    "bit": "{}::bigint",
}


def convert(value: str, kind: str, found: ColumnType) -> str | None:
    """An expression that reads a value as one of this kind, as far as the values allow.

    No fraction is rounded away: it stays for the refusal of a run.

    Returns:
        None if no value of the type says one of the kind.
    """
    value, base = _open(value, found.base)
    if kind not in CASTS:
        return f"{_print(value, base)}::text"
    if base in MEASURED and kind in ("integer", "number"):
        value, base = MEASURED[base].format(value), "bigint" if base == "bit" else "numeric"
    if base in TEXTS | PRINTED:
        return CASTS[kind].format(f"{value}::text" if base in PRINTED else value)
    if kind == "boolean":
        number = MEASURED["bit"].format(value) if base == "bit" else value
        return f"({number} <> 0)" if base in SQL_TYPES["number"] | {"bit"} else None
    return _convert_to_time(value, base) if kind in ("date", "time") else _convert_to_number(value, base, kind)


def _open(value: str, base: str) -> tuple[str, str]:
    """What is inside of an array, a range or a JSON value, with its type."""
    if base.endswith("[]"):
        return f"array_to_string({value}, ',')", "text"
    if base in ("json", "jsonb"):
        return f"({value} #>> '{{}}')", "text"
    return (f"lower({value})", RANGES[base]) if base in RANGES else (value, base)


def _print(value: str, base: str) -> str:
    """A value whose text says what it is: the text of some types depends on the settings of a session."""
    return {"bytea": f"encode({value}, 'hex')", "money": f"{value}::numeric"}.get(base, value)


def _convert_to_time(value: str, base: str) -> str | None:
    if base in TIMES:
        return value
    # A number such as 20260131 says a date. Seconds since 1970 fail, and are not taken for another date.
    return f"{value}::bigint::text::timestamptz" if base in INTEGERS | {"numeric", "double precision"} else None


def _convert_to_number(value: str, base: str, kind: str) -> str | None:
    if base == "boolean":
        return f"{value}::integer"
    if base in TIMES:
        return f"extract(epoch FROM {value})::numeric"
    if base not in SQL_TYPES["number"]:
        return None
    # A `real` that is cast to `numeric` at once has six digits only.
    exact = f"{value}::double precision" if base == "real" else value
    return f"{exact}::numeric" if kind == "number" or base not in INTEGERS else f"{value}::bigint"
