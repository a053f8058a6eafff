"""What is found in the columns of a dataset: counts and figures, and no value of a row.

Each column but the target is read once, and all that the checks need of it is computed together.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from credit_assets.checks.loan_dataset.columns import StoredColumns
from credit_assets.checks.loan_dataset.leakage import compute_auc_alone
from credit_assets.loans.columns import mark_outcomes
from credit_assets.settings.file import Settings
from credit_assets.tables.rules import count_marks, count_repeated, mark_infinite, mark_missing, mark_outside

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Classes:
    """How many loans have which outcome."""

    negatives: int
    positives: int
    others: int


@dataclass
class Findings:
    """All that the checks need to know of the columns.

    Attributes:
        rows: how many loans there are.
        without_outcome: how many of them have NULL as their target.
        classes: the outcomes of the others.
        repeated_ids: how many rows have an id that a row before them has.
        missing: for each column but the target, in how many rows its value is missing.
        infinite: for each column, in how many rows its number is infinite.
        outside: for each number, by its name with its bounds, how many rows are outside of them.
        aucs: for each feature, how well it alone ranks the outcome of the loans that have one.
    """

    rows: int
    without_outcome: int
    classes: Classes
    repeated_ids: int = 0
    missing: dict[str, int] = field(default_factory=dict)
    infinite: dict[str, int] = field(default_factory=dict)
    outside: dict[str, int] = field(default_factory=dict)
    aucs: dict[str, float] = field(default_factory=dict)


def examine_columns(columns: StoredColumns, settings: Settings) -> Findings:
    """Reads every column, the target first, because features are compared with it.

    Args:
        columns: those that the settings declare.
        settings: what each column is.
    """
    import pyarrow.compute as pc

    ((_, target),) = columns.read([settings.target.column])
    marks = mark_outcomes(target, settings.target)
    known, outcome = pc.is_valid(marks), marks.drop_null().to_numpy()
    found = Findings(columns.rows, target.null_count, _count_classes(target, marks))
    found.infinite[settings.target.column] = count_marks(mark_infinite(target))
    del target
    for name, values in columns.read([each for each in columns.schema.names if each != settings.target.column]):
        found.missing[name] = count_marks(mark_missing(values))
        found.infinite[name] = count_marks(mark_infinite(values))
        if name == settings.table.id:
            found.repeated_ids = count_repeated(values)
        if (column := settings.columns.get(name)) and column.is_measured:
            found.outside[f"{name} ({column.bounds})"] = count_marks(mark_outside(values, column))
        if name in settings.features:
            found.aucs[name] = compute_auc_alone(values.filter(known) if marks.null_count else values, outcome)
        del values  # held longer, it would be in memory beside the next column
    return found


def _count_classes(values: "pa.ChunkedArray", marks: "pa.ChunkedArray") -> Classes:
    positives = count_marks(marks)
    others = marks.null_count - values.null_count
    return Classes(len(marks) - marks.null_count - positives, positives, others)
