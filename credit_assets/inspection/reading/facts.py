"""What a sample says of one column: how many values are missing, how many differ, the least and the greatest.

Belongs here: counts. Does not belong here: what they mean, and which of them may be shown (`columns`, `draft`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from credit_assets.inspection.reading.catalogue import FoundColumn
from credit_assets.inspection.reading.sample import form_of

if TYPE_CHECKING:
    import pyarrow as pa

# So many different texts of a column are kept, the most frequent ones.
MOST_LEVELS = 1_000
FEW_NUMBERS = 20


@dataclass(frozen=True)
class Facts:
    """One column of a sample.

    Attributes:
        column: as the catalogue has it.
        form: as `form_of` names it.
        rows: how many rows the sample has.
        missing: how many of them have no value.
        infinite: how many have an infinite number, which no setting allows.
        distinct: how many different values there are.
        low: the least number, or time in seconds since 1970; None without any.
        high: the greatest.
        counts: how many rows have each value, the most frequent first; texts, whole numbers, and at most 20 numbers.
    """

    column: FoundColumn
    form: str
    rows: int
    missing: int
    infinite: int
    distinct: int
    low: float | None = None
    high: float | None = None
    counts: Mapping[str | int | float, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The column's name."""
        return self.column.name

    @property
    def filled(self) -> int:
        """How many rows have a value that is finite."""
        return self.rows - self.missing - self.infinite

    @property
    def missing_share(self) -> float:
        """The share of rows without a value; 0 of none."""
        return self.missing / self.rows if self.rows else 0.0

    @property
    def is_key(self) -> bool:
        """Whether no two rows of the table, or of a sample of some size, have one value."""
        return bool(self.column.key) or (self.distinct == self.filled >= MOST_LEVELS // 20)


def describe_column(column: FoundColumn, values: "pa.ChunkedArray") -> Facts:
    """The facts of a column.

    Args:
        column: as the catalogue has it.
        values: its values in a sample.
    """
    import pyarrow.compute as pc

    form, rows = form_of(column), len(values)
    missing = values.null_count + (pc.sum(pc.is_nan(values)).as_py() or 0 if form in ("number", "time") else 0)
    present = values.filter(mark_filled(values))
    distinct = pc.count_distinct(present).as_py() or 0
    low = high = None
    counts: dict[str | int | float, int] = {}
    if form in ("integer", "number", "time") and len(present):
        bounds = pc.min_max(present).as_py()
        low, high = float(bounds["min"]), float(bounds["max"])
    if form in ("integer", "text") or (form == "number" and distinct <= FEW_NUMBERS):
        pairs = pc.value_counts(present.combine_chunks()).to_pylist()
        pairs.sort(key=lambda pair: (-pair["counts"], str(pair["values"])))
        # 1.0 and 1 are one number, and the settings say 1.
        counts = {
            int(value) if isinstance(value := pair["values"], float) and value.is_integer() else value: pair["counts"]
            for pair in pairs[:MOST_LEVELS]
        }
    infinite = rows - missing - len(present)
    return Facts(column, form, rows, missing, infinite, distinct, low, high, counts)


def mark_filled(values: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """True where a value is there, and finite if it is a number. Shape (rows,)."""
    import pyarrow.compute as pc
    import pyarrow.types as pt

    return pc.fill_null(pc.is_finite(values), False) if pt.is_floating(values.type) else pc.is_valid(values)
