"""What a value breaks, for a whole column at once: it is missing, infinite, outside of its bounds, or repeated.

Belongs here: rules that hold for the loans and for the applications, as one truth value for each row. Does not belong
here: what follows if a rule is broken.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from credit_assets.settings.columns import Column

if TYPE_CHECKING:
    import pyarrow as pa

MISSING = "NULL or NaN"
INFINITE = "infinite"
OUTSIDE = "outside of the bounds in the settings"


def mark_missing(values: "pa.Array | pa.ChunkedArray") -> "pa.Array | pa.ChunkedArray":
    """True where a value is NULL or NaN. Shape (rows,)."""
    import pyarrow.compute as pc

    return pc.is_null(values, nan_is_null=True)


def mark_infinite(values: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """True where a number is infinite, which is not missing. Shape (rows,)."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    if not pt.is_floating(values.type):
        return pa.chunked_array([pa.repeat(False, len(values))])
    return pc.fill_null(pc.is_inf(values), False)


def mark_outside(values: "pa.ChunkedArray", column: Column) -> "pa.ChunkedArray":
    """True where a number is outside of the declared bounds; a value that is missing has none. Shape (rows,)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    marks = pa.chunked_array([pa.repeat(False, len(values))])
    if column.minimum is not None:
        marks = pc.or_kleene(marks, pc.less(values, column.minimum))
    if column.maximum is not None:
        marks = pc.or_kleene(marks, pc.greater(values, column.maximum))
    return pc.fill_null(marks, False)


def count_marks(marks: "pa.Array | pa.ChunkedArray") -> int:
    """How many rows are marked."""
    import pyarrow.compute as pc

    return pc.sum(marks).as_py() or 0


def count_repeated(ids: "pa.ChunkedArray") -> int:
    """How many rows have an id that another row before them has.

    Ids that rise from row to row need no table of all ids, whose making is slow.
    """
    import pyarrow.compute as pc

    if not ids.null_count and pc.all(pc.less(ids[:-1], ids[1:])).as_py() is not False:
        return 0
    return len(ids) - pc.count_distinct(ids, mode="all").as_py()


def count_of(number: int, noun: str) -> str:
    """A number with its noun, for people: `1 row`, `2,000 rows`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def describe_counts(what: str, counts: Mapping[str, int]) -> str:
    """For people: what is wrong, and in how many rows of which column; `counts` has no zeros."""
    found = ", ".join(f"{name}: {count_of(count, 'row')}" for name, count in counts.items())
    return f"{what}: {found}; expected none"
