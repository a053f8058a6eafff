"""What is found in the columns of a dataset: counts and figures, and no value of a row.

Each column is read once, and all that the checks need of it is computed together. At most one feature is in memory.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from credit_assets.checks.loan_dataset.columns import StoredColumns
from credit_assets.checks.loan_dataset.leakage import compute_auc_alone
from credit_assets.loans.columns import mark_outcomes
from credit_assets.settings.file import Settings
from credit_assets.tables.rules import count_marks, count_repeated, mark_missing, mark_outside

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Classes:
    """How many loans have which outcome."""

    negatives: int
    positives: int
    others: int


@dataclass(frozen=True)
class Findings:
    """All that the checks need to know of the columns.

    Attributes:
        rows: how many loans there are.
        without_outcome: how many of them have NULL as their target.
        classes: the outcomes of the others.
        repeated_ids: how many rows have an id that a row before them has.
        missing: for each column but the target, in how many rows its value is missing.
        outside: for each number, by its name with its bounds, how many rows are outside of them.
        aucs: for each feature, how well it alone ranks the outcome of the loans that have one.
    """

    rows: int
    without_outcome: int
    classes: Classes
    repeated_ids: int
    missing: dict[str, int]
    outside: dict[str, int]
    aucs: dict[str, float]


def examine_columns(columns: StoredColumns, settings: Settings) -> Findings:
    """Reads every column once, the target first, because features are compared with it.

    Args:
        columns: those that the settings declare.
        settings: what each column is.
    """
    import pyarrow.compute as pc

    target = columns.read(settings.target.column)
    marks, missing = mark_outcomes(target, settings.target), dict.fromkeys(columns.schema.names, 0)
    known, outcome = pc.is_valid(marks), marks.drop_null().to_numpy()
    outside, aucs, repeated_ids = dict[str, int](), dict[str, float](), 0
    for name in columns.schema.names:
        values = target if name == settings.target.column else columns.read(name)
        if name != settings.target.column:
            missing[name] = count_marks(mark_missing(values))
        if name == settings.table.id:
            repeated_ids = count_repeated(values)
        if (column := settings.columns.get(name)) and column.type != "category":
            outside[f"{name} ({column.bounds})"] = count_marks(mark_outside(values, column))
        if name in settings.features:
            aucs[name] = compute_auc_alone(values.filter(known), outcome)
    classes = _count_classes(target, marks)
    return Findings(columns.rows, target.null_count, classes, repeated_ids, missing, outside, aucs)


def _count_classes(values: "pa.ChunkedArray", marks: "pa.ChunkedArray") -> Classes:
    positives = count_marks(marks)
    others = marks.null_count - values.null_count
    return Classes(len(marks) - marks.null_count - positives, positives, others)
