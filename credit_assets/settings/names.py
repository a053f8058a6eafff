"""Names of tables and columns: what a settings file may say, and how statements and keys of the store spell it.

Belongs here: the names that PostgreSQL takes. Does not belong here: whether there is a table or column of that name
(`credit_assets.tables`).
"""

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, StrictStr

from resources.store.written_once import compute_sha256

LONGEST = 63  # bytes in UTF-8. PostgreSQL cuts a longer name, and would find another table or column.
PART = r'"(?:[^"]|"")+"|[^".]+'
TABLE = re.compile(rf"({PART})(?:\.({PART}))?")
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")
LONGEST_KEY = 60


def check_name(name: str) -> str:
    """A name that PostgreSQL takes, as it is.

    Raises:
        ValueError: it is empty, too long, or has the character NUL.
    """
    size = len(name.encode())
    if not 1 <= size <= LONGEST:
        raise ValueError(f"{name!r} has {size} bytes in UTF-8; expected a name of 1 to {LONGEST}. Correct the name")
    if "\0" in name:
        raise ValueError("the name has the character NUL, which no name in PostgreSQL has. Correct the name")
    return name


def split_table(name: str) -> tuple[str, ...]:
    """The table's name alone, or its schema and its name, without quotes.

    Args:
        name: `loans` or `lending.loans`. A part with a dot or a quote stands in quotes, as in a statement.

    Raises:
        ValueError: it is neither, or a part is no name.
    """
    found = TABLE.fullmatch(name)
    if not found:
        raise ValueError(
            f"{name!r} is no name of a table; expected table or schema.table. A part with a dot or a quote stands in "
            "quotes, and each quote inside is doubled: '\"loans.v2\"'"
        )
    return tuple(
        check_name(part[1:-1].replace('""', '"') if part[0] == '"' else part) for part in found.groups() if part
    )


def spell_table(name: str) -> str:
    """A table's name in the one spelling by which the platform knows it: quotes only where they are needed."""
    return ".".join(quote_name(part) if re.search(r'[".]', part) else part for part in split_table(name))


def quote_name(name: str) -> str:
    """A name as statements spell it: in quotes, so that whatever it holds stays a name."""
    return '"' + name.replace('"', '""') + '"'


def quote_names(names: Iterable[str]) -> str:
    """Names of columns as statements list them."""
    return ", ".join(map(quote_name, names))


def quote_table(name: str) -> str:
    """A table's name as statements spell it."""
    return ".".join(map(quote_name, split_table(name)))


def is_plain(table: str) -> bool:
    """Whether a table's name has letters of English, digits, `_` and at most one dot only."""
    return bool(PLAIN.fullmatch(table))


def make_key(table: str) -> str:
    """A table's name as a folder of the store, or in the registry: the name itself, if it is plain.

    Any other name becomes what is left of it and a part of its SHA-256, so that two tables never share a folder.
    """
    if is_plain(table):
        return table
    left = re.sub(r"[^A-Za-z0-9_]+", "-", table).strip("-")[:LONGEST_KEY] or "table"
    return f"{left}-{compute_sha256(table.encode())[:16]}"


Name = Annotated[StrictStr, AfterValidator(check_name)]
# A table's name may be qualified: `schema.table`.
TableName = Annotated[StrictStr, AfterValidator(spell_table)]
