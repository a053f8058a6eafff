"""Checks on the split and on the model, before they are committed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from credit_assets.checks.verdict import Verdict
from credit_assets.loans.columns import select_outcomes
from credit_assets.model.pipeline import score_loans
from credit_assets.settings.file import Settings
from credit_assets.tables.rules import count_marks, mark_missing

if TYPE_CHECKING:
    import pyarrow as pa
    from sklearn.pipeline import Pipeline

SPLIT_CHECKS: Mapping[str, str] = {
    "disjoint": "No loan is in both the training and the test part.",
    "stratified": "Both parts hold both classes in the dataset's shares, to within one loan in each class. By time: of "
    "the older loans.",
    "features_have_values": "No feature lacks its values in the whole training part.",
    "out_of_time": "By time, no other loan is newer than one of the test, and the test holds both classes.",
}
MODEL_CHECKS: Mapping[str, str] = {
    "declared_features_only": "The model was fitted on exactly the declared features, and on no personal attribute.",
    "scores_are_probabilities": "Its scores on the test split are finite, between 0 and 1, and not all the same.",
}


def check_split(
    train: "pa.Table", test: "pa.Table", random_test: "pa.Table | None", settings: Settings
) -> list[Verdict]:
    """One verdict for each of `SPLIT_CHECKS`.

    Args:
        train: what the model learns from.
        test: what it is judged by.
        random_test: what is drawn by lot beside a test of the newest loans, or None.
        settings: the id, the time and the target.
    """
    import pyarrow as pa

    held_out = test if random_test is None else pa.concat_tables([test, random_test])
    return [
        _disjoint(train, held_out, settings),
        _stratified(train, test if random_test is None else random_test, settings),
        _features_have_values(train, settings),
        _out_of_time(train, test, random_test, settings),
    ]


def _disjoint(train: "pa.Table", held_out: "pa.Table", settings: Settings) -> Verdict:
    import pyarrow.compute as pc

    shared = pc.sum(pc.is_in(held_out.column(settings.table.id), train.column(settings.table.id))).as_py() or 0
    message = f"{shared:,} of {held_out.num_rows:,} test loans are in the training part too"
    return Verdict("disjoint", shared == 0, message)


def _stratified(train: "pa.Table", test: "pa.Table", settings: Settings) -> Verdict:
    in_train, in_test = (int(select_outcomes(part, settings).sum()) for part in (train, test))
    expected = (in_train + in_test) * test.num_rows / max(train.num_rows + test.num_rows, 1)
    return Verdict(
        "stratified",
        abs(in_test - expected) <= 1 and 0 < in_train < train.num_rows and 0 < in_test < test.num_rows,
        f"{in_train:,} defaults in {train.num_rows:,} training loans, {in_test:,} in {test.num_rows:,} test loans; "
        f"expected {expected:.1f} in the test, and both classes in both",
        {"defaults in training": in_train, "defaults in test": in_test},
    )


def _features_have_values(train: "pa.Table", settings: Settings) -> Verdict:
    allowed = [name for name, column in settings.features.items() if column.may_be_missing]
    empty = [name for name in allowed if count_marks(mark_missing(train.column(name))) == train.num_rows]
    message = (
        f"no training loan has a value of {', '.join(empty)}, so a model can't learn from it. Take it out of the "
        "settings until older loans have values"
        if empty
        else "training loans have values of every feature"
    )
    return Verdict("features_have_values", not empty, message)


def _out_of_time(train: "pa.Table", test: "pa.Table", random_test: "pa.Table | None", settings: Settings) -> Verdict:
    import pyarrow as pa
    import pyarrow.compute as pc

    if random_test is None:
        return Verdict("out_of_time", True, "all parts are drawn by lot (split.by)")
    name = settings.table.created_at
    older, newer = pc.max(pa.concat_tables([train, random_test]).column(name)), pc.min_max(test.column(name))
    first, last = newer["min"].as_py(), newer["max"].as_py()
    defaults = int(select_outcomes(test, settings).sum())
    if last == older.as_py():
        return Verdict(
            "out_of_time",
            False,
            f"{name}: the newest loans are as old as others; a split by time needs different times. Correct the "
            'column, or write by = "random" in [split]',
        )
    return Verdict(
        "out_of_time",
        first >= older.as_py() and 0 < defaults < test.num_rows,
        f"{defaults:,} of the {test.num_rows:,} newest loans defaulted; expected both classes, and no other loan that "
        "is newer than one of these. With one class, raise test_share in the config of training, set "
        'target.matures_after, or write by = "random" in [split]',
        {"newest loans": test.num_rows, "defaults": defaults},
    )


def check_model(model: "Pipeline", test: "pa.Table", settings: Settings) -> list[Verdict]:
    """One verdict for each of `MODEL_CHECKS`, or the first alone: a model of other columns can't score the split."""
    import numpy as np

    declared, fitted = list(settings.features), list(model.feature_names_in_)
    features = Verdict(
        "declared_features_only",
        fitted == declared,
        f"fitted on {', '.join(fitted)}; declared are {', '.join(declared)}",
    )
    if not features.passed:
        return [features]
    scores = score_loans(model, test, settings)
    finite = bool(np.isfinite(scores).all() and (scores >= 0).all() and (scores <= 1).all())
    spread = float(np.ptp(scores)) if len(scores) else 0.0
    return [
        features,
        Verdict(
            "scores_are_probabilities",
            finite and spread > 0,
            f"{len(scores):,} scores, spread over {spread:.3f}; expected finite scores from 0 to 1 that differ",
        ),
    ]
