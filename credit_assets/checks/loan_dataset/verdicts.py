"""The verdicts on a dataset, each a function of what was found in its columns."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from credit_assets.checks.loan_dataset.columns import open_columns
from credit_assets.checks.loan_dataset.findings import Findings, examine_columns
from credit_assets.checks.loan_dataset.missing import MissingInUse, judge_missing
from credit_assets.checks.verdict import Verdict
from credit_assets.loans.table import describe_schema
from credit_assets.settings.file import Settings
from credit_assets.tables.rules import INFINITE, MISSING, OUTSIDE, count_of, describe_counts

if TYPE_CHECKING:
    import pyarrow as pa

DATASET_CHECKS: Mapping[str, str] = {
    "enough_rows": "At least limits.minimum_rows loans with an outcome.",
    "schema": "Exactly the declared columns, with their stored types.",
    "no_nulls": "Every column of every loan but the target has a value, unless the settings allow it to be missing.",
    "finite_numbers": "No number is infinite, whether or not values may be missing.",
    "missing_share": "No column lacks more of its values than limits.maximum_missing_share.",
    "missing_drift": "Each column lacks about as many values as in the dataset of the model in use.",
    "ranges": "Every number lies within the bounds that the settings declare.",
    "unique_ids": "No loan is there twice.",
    "known_outcomes": "Of the loans that are old enough, at most limits.maximum_missing_outcome_share have no outcome.",
    "two_classes": "The target holds its two declared values only, the rarer in at least limits.minimum_class_share.",
    "no_leakage": "No feature alone ranks the outcome better than limits.maximum_feature_auc.",
}

FILL = 'fill them in a view, or write missing = "allowed" in the settings'
CORRECT = "every loan needs it: correct the rows, or name a view without them in table.name"
CORRECT_INFINITE = ". Correct the rows, or make these values NULL in a view"
CORRECT_OUTSIDE = ". Correct the rows, or the bounds in the settings"


def check_dataset(
    stored: "Path | pa.Table", settings: Settings, too_young: int = 0, missing_in_use: MissingInUse | None = None
) -> list[Verdict]:
    """One verdict for each of `DATASET_CHECKS`, or that of `schema` alone: of other columns nothing else can be said.

    Args:
        stored: a Parquet file, of which one column at a time is in memory, or a table.
        settings: what the columns are, and the limits.
        too_young: how many loans are younger than `target.matures_after`, so that their target was not read.
        missing_in_use: what the model in use learned from; None if there is none.
    """
    with open_columns(stored) as columns:
        schema = _schema(columns.schema, settings)
        if not schema.passed:
            return [schema]
        found = examine_columns(columns, settings)
    return [
        schema,
        _enough_rows(found, settings),
        _no_nulls(found, settings),
        _per_column("finite_numbers", INFINITE, found.infinite, CORRECT_INFINITE),
        *judge_missing(found, settings, missing_in_use),
        _per_column("ranges", OUTSIDE, found.outside, CORRECT_OUTSIDE),
        _unique_ids(found, settings),
        _known_outcomes(found, too_young, settings),
        _two_classes(found, settings),
        _no_leakage(found, settings),
    ]


def _schema(found: "pa.Schema", settings: Settings) -> Verdict:
    stored = {field.name: str(field.type) for field in found}
    expected = describe_schema(settings, stored)
    wrong = sorted(name for name in {*stored, *expected} if stored.get(name) != expected.get(name))
    return Verdict(
        "schema",
        not wrong,
        f"columns that differ from the declared ones: {', '.join(wrong)}" if wrong else f"{len(expected)} columns",
    )


def _enough_rows(found: Findings, settings: Settings) -> Verdict:
    minimum, rows = settings.limits.minimum_rows, found.rows - found.without_outcome
    what = "rows with an outcome" if found.without_outcome else "rows"
    return Verdict(
        "enough_rows",
        rows >= minimum,
        f"{rows:,} {what}; expected at least {minimum:,} (limits.minimum_rows)",
        {"rows": rows},
    )


def _no_nulls(found: Findings, settings: Settings) -> Verdict:
    allowed = settings.columns_with_missing
    verdict = _per_column("no_nulls", MISSING, {name: n for name, n in found.missing.items() if name not in allowed})
    if verdict.passed:
        return verdict
    keys = [name for name in verdict.facts if name in (settings.table.id, settings.table.created_at)]
    others = [name for name in verdict.facts if name not in keys]
    advice = [f"{', '.join(names)}: {what}" for names, what in ((keys, CORRECT), (others, FILL)) if names]
    return replace(verdict, message=". ".join([verdict.message, *advice]))


def _per_column(check: str, what: str, counts: Mapping[str, int], advice: str = "") -> Verdict:
    wrong = {name: count for name, count in counts.items() if count}
    return Verdict(check, not wrong, describe_counts(what, wrong) + advice if wrong else f"none {what}", wrong)


def _unique_ids(found: Findings, settings: Settings) -> Verdict:
    repeated = found.repeated_ids
    verb = "repeats" if repeated == 1 else "repeat"
    said = f"{settings.table.id}: {count_of(repeated, 'row')} {verb} an id; expected none"
    advice = ". Make the ids unique, or name another column in table.id"
    return Verdict("unique_ids", repeated == 0, said + (advice if repeated else ""))


def _known_outcomes(found: Findings, too_young: int, settings: Settings) -> Verdict:
    target, limit = settings.target, settings.limits.maximum_missing_outcome_share
    missing, old_enough = found.without_outcome - too_young, found.rows - too_young
    young = f"; {too_young:,} more are younger than {target.matures_after} (target.matures_after)"
    return Verdict(
        "known_outcomes",
        missing <= limit * old_enough,
        f"{target.column}: NULL in {missing:,} of {old_enough:,} loans; expected at most {limit:.1%} "
        f"(limits.maximum_missing_outcome_share){young if target.matures_after else ''}. "
        "A loan without an outcome is in neither training nor test",
        {"NULL": missing, "too young": too_young},
    )


def _two_classes(found: Findings, settings: Settings) -> Verdict:
    target, minimum, classes = settings.target, settings.limits.minimum_class_share, found.classes
    rarer, rows = min(classes.negatives, classes.positives), found.rows - found.without_outcome
    folds = settings.limits.cross_validation_folds
    fewest, reason = (folds, "limits.cross_validation_folds") if folds > 2 else (2, "one for each part of the split")
    repaid, defaulted = target.labels
    return Verdict(
        "two_classes",
        classes.others == 0 and rarer >= fewest and rarer / rows >= minimum,
        f"{target.column}: {classes.negatives:,} rows of {repaid}, {classes.positives:,} of {defaulted}, "
        f"{classes.others:,} of anything else; expected two classes, the rarer at least {minimum:.1%} "
        f"(limits.minimum_class_share) and {fewest} rows ({reason})",
        asdict(classes),
    )


def _no_leakage(found: Findings, settings: Settings) -> Verdict:
    limit = settings.limits.maximum_feature_auc
    seen = {name: auc for name, auc in found.aucs.items() if auc > limit}
    named = ", ".join(f"{name} ({auc:.3f})" for name, auc in seen.items())
    return Verdict(
        "no_leakage",
        not seen,
        f"features that know the outcome: {named}; expected an AUC of at most {limit} "
        "(limits.maximum_feature_auc). Remove from [features] what was not known when the loan was made, or raise the "
        "limit"
        if seen
        else f"best feature alone has an AUC of {max(found.aucs.values(), default=0.5):.3f}",
        {name: round(auc, 4) for name, auc in found.aucs.items()},
    )
