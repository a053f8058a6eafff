"""Checks on the dataset, before it is committed: rows, types, nulls, ranges, ids, classes, leakage."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from credit_assets.checks.verdict import Verdict
from credit_assets.loans.table import arrow_schema
from credit_assets.settings.columns import Column
from credit_assets.settings.file import Settings
from credit_assets.tables.rules import (
    MISSING,
    OUTSIDE,
    count_marks,
    count_repeated,
    describe_counts,
    mark_missing,
    mark_outside,
)

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

DATASET_CHECKS: Mapping[str, str] = {
    "enough_rows": "At least limits.minimum_rows loans.",
    "schema": "Exactly the declared columns, with their stored types.",
    "no_nulls": "Every column of every loan has a value, and every number is finite.",
    "ranges": "Every number lies within the bounds that the settings declare.",
    "unique_ids": "No loan is there twice.",
    "two_classes": "The target holds its two declared values only, the rarer in at least limits.minimum_class_share.",
    "no_leakage": "No feature alone ranks the outcome better than limits.maximum_feature_auc.",
}


def check_dataset(stored: "Path | pa.Table", settings: Settings) -> list[Verdict]:
    """One verdict for each of `DATASET_CHECKS`, or that of `schema` alone: of other columns nothing else can be said.

    Columns are looked at one at a time.
    """
    columns = _Columns(stored)
    schema = _schema(columns, settings)
    if not schema.passed:
        return [schema]
    return [
        schema,
        _enough_rows(columns, settings),
        _no_nulls(columns, settings),
        _ranges(columns, settings),
        _unique_ids(columns, settings),
        _two_classes(columns, settings),
        _no_leakage(columns, settings),
    ]


class _Columns:
    """Columns of a Parquet file or of a table, read when they are asked for."""

    def __init__(self, stored: "Path | pa.Table") -> None:
        import pyarrow.parquet as pq

        if isinstance(stored, Path):
            with pq.ParquetFile(stored) as file:
                self.schema, self.rows = file.schema_arrow, file.metadata.num_rows
            self._read = lambda name: pq.read_table(stored, columns=[name]).column(0)
        else:
            self.schema, self.rows = stored.schema, stored.num_rows
            self._read = stored.column

    def __getitem__(self, name: str) -> "pa.ChunkedArray":
        return self._read(name)


def _enough_rows(columns: _Columns, settings: Settings) -> Verdict:
    minimum = settings.limits.minimum_rows
    return Verdict(
        "enough_rows",
        columns.rows >= minimum,
        f"{columns.rows:,} rows; expected at least {minimum:,} (limits.minimum_rows)",
        {"rows": columns.rows},
    )


def _schema(columns: _Columns, settings: Settings) -> Verdict:
    expected = arrow_schema(settings)
    wrong = sorted({str(field.name) for field in set(expected) ^ set(columns.schema)})
    return Verdict(
        "schema",
        not wrong,
        f"columns that differ from the declared ones: {', '.join(wrong)}" if wrong else f"{len(expected)} columns",
    )


def _no_nulls(columns: _Columns, settings: Settings) -> Verdict:
    counts = {name: count_marks(mark_missing(columns[name])) for name in columns.schema.names}
    return _per_column("no_nulls", MISSING, counts)


def _ranges(columns: _Columns, settings: Settings) -> Verdict:
    counts = {
        f"{name} ({column.bounds})": count_marks(mark_outside(columns[name], column))
        for name, column in settings.columns.items()
        if column.type != "category"
    }
    return _per_column("ranges", OUTSIDE, counts)


def _per_column(check: str, what: str, counts: Mapping[str, int]) -> Verdict:
    wrong = {name: count for name, count in counts.items() if count}
    return Verdict(check, not wrong, describe_counts(what, wrong) if wrong else f"none {what}", wrong)


def _unique_ids(columns: _Columns, settings: Settings) -> Verdict:
    name = settings.table.id
    doubled = count_repeated(columns[name])
    return Verdict("unique_ids", doubled == 0, f"{name}: {doubled:,} rows repeat an id; expected none")


def _two_classes(columns: _Columns, settings: Settings) -> Verdict:
    import pyarrow.compute as pc

    target, minimum = settings.target, settings.limits.minimum_class_share
    values = columns[target.column]
    negatives, positives = (
        pc.sum(pc.equal(values, value)).as_py() or 0 for value in (target.negative, target.positive)
    )
    others = columns.rows - negatives - positives
    rarer = min(negatives, positives)
    folds = settings.limits.cross_validation_folds
    fewest, reason = (folds, "limits.cross_validation_folds") if folds > 2 else (2, "one for each part of the split")
    return Verdict(
        "two_classes",
        others == 0 and rarer >= fewest and rarer / columns.rows >= minimum,
        f"{target.column}: {negatives:,} rows of {target.negative!r}, {positives:,} of {target.positive!r}, {others:,} "
        f"of anything else; expected two classes, the rarer at least {minimum:.1%} (limits.minimum_class_share) and "
        f"{fewest} rows ({reason})",
        {"negatives": negatives, "positives": positives, "others": others},
    )


def _no_leakage(columns: _Columns, settings: Settings) -> Verdict:
    import pyarrow.compute as pc

    limit = settings.limits.maximum_feature_auc
    outcome = pc.equal(columns[settings.target.column], settings.target.positive).fill_null(False).to_numpy()
    aucs = {name: _auc_alone(columns[name], outcome, column) for name, column in settings.features.items()}
    seen = {name: auc for name, auc in aucs.items() if auc > limit}
    found = ", ".join(f"{name} ({auc:.3f})" for name, auc in seen.items())
    return Verdict(
        "no_leakage",
        not seen,
        f"features that know the outcome: {found}; expected an AUC of at most {limit} (limits.maximum_feature_auc)"
        if seen
        else f"best feature alone has an AUC of {max(aucs.values(), default=0.5):.3f}",
        {name: round(auc, 4) for name, auc in aucs.items()},
    )


def _auc_alone(values: "pa.ChunkedArray", outcome: "np.ndarray", column: Column) -> float:
    """AUC of one feature used as a score, whichever way it points; 0.5 where it is not defined.

    It is not defined without two classes, or with a value that is missing: `two_classes` and `no_nulls` report these.

    A category is scored by its default share, learned on one half of the rows and judged on the other, so that many
    rare categories don't pass for knowledge. The halves are drawn by lot, as every other row may be a default.
    """
    import numpy as np
    import pandas as pd
    from sklearn.metrics import roc_auc_score

    feature = values.to_pandas()
    if column.type == "category":
        half = np.random.default_rng(0).random(len(outcome)) < 0.5
        shares = pd.Series(outcome[half]).groupby(feature[half].to_numpy()).mean()
        feature, outcome = feature[~half].map(shares).fillna(outcome.mean() if len(outcome) else 0.0), outcome[~half]
    scores = feature.to_numpy(dtype="float64")
    if outcome.all() or not outcome.any() or not np.isfinite(scores).all():
        return 0.5
    auc = float(roc_auc_score(outcome, scores))
    return max(auc, 1 - auc)
