"""Kinds of columns: which types of PostgreSQL can be read as each, and how it is stored.

Belongs here: what a type is to the platform. Does not belong here: the SQL that reads it (`expressions`), and what a
settings file may declare (`credit_assets.settings.columns`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resources.environment import set_default

if TYPE_CHECKING:
    import pyarrow as pa

# Arrow reads this when it is imported. An allocator of its own would keep much of what was freed.
set_default("ARROW_DEFAULT_MEMORY_POOL", "system")

INTEGERS = {"smallint", "integer", "bigint"}
TEXTS = {"text", "character varying", "character", "citext"}
TIMES = {"date", "timestamp without time zone", "timestamp with time zone"}
SQL_TYPES = {
    # A numeric value with a fraction is refused when it is read, because its type may not say that there is none.
    "integer": INTEGERS | {"numeric"},
    "number": INTEGERS | {"numeric", "real", "double precision"},
    "category": INTEGERS | TEXTS | {"numeric without a fraction", "boolean", "enum", "uuid"},
    "boolean": {"boolean"},
    "date": TIMES,
    "id": INTEGERS | TEXTS | {"numeric", "uuid"},
    # A name is compared with a text: `character` is not, because it ignores spaces at the end.
    "name": {"text", "character varying"},
    "time": TIMES,
}
PLAIN_TYPES = {
    "integer": "bigint",
    "number": "double precision",
    "category": "text",
    "boolean": "boolean",
    "date": "date",
    "id": "bigint",
    "name": "text",
    "time": "timestamp without time zone",
}
# What a settings file may say of a feature.
DECLARABLE = ("number", "integer", "category", "boolean", "date")


@dataclass(frozen=True)
class ColumnType:
    """The type of a column, as the catalogue has it.

    Attributes:
        name: as PostgreSQL prints it, without a length.
        base: the type below all domains; `enum` for every enum.
        is_whole: whether it is a numeric type whose declaration leaves no fraction, such as `numeric(38,0)`.
    """

    name: str
    base: str
    is_whole: bool = False

    def __str__(self) -> str:
        return self.name if self.base in (self.name, "enum", "citext") else f"{self.name}, a domain over {self.base}"


def list_kinds(column: ColumnType) -> set[str]:
    """The kinds that a column of this type can be read as; none for a type that can't be read, such as `json`."""
    kinds = {kind for kind, types in SQL_TYPES.items() if column.base in types}
    return kinds | ({"category"} if column.base == "numeric" and column.is_whole else set())


def make_plain_types(columns: Mapping[str, str]) -> dict[str, ColumnType]:
    """The types that columns of these kinds have in a table that was made for the platform."""
    return {name: ColumnType(PLAIN_TYPES[kind], PLAIN_TYPES[kind]) for name, kind in columns.items()}


def has_text_ids(column: ColumnType) -> bool:
    """Whether ids of this type are stored as text, and not as integers."""
    return column.base in TEXTS | {"uuid"}


def make_schema(columns: Mapping[str, str]) -> "pa.Schema":
    """The types that columns of these kinds are stored with: 64-bit numbers, text, UTC microseconds.

    A `boolean` is 0 or 1, a `date` a number of days, and an `id` an integer (`has_text_ids` says which one is not).
    """
    import pyarrow as pa

    text, time, whole = pa.string(), pa.timestamp("us", "UTC"), pa.int64()
    types = {
        "integer": whole,
        "number": pa.float64(),
        "category": text,
        "boolean": whole,
        "date": pa.float64(),
        "id": whole,
        "name": text,
        "time": time,
    }
    return pa.schema([(name, types[kind]) for name, kind in columns.items()])
