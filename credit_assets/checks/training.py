"""Checks on the split and on the model, before they are committed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from credit_assets.checks.verdict import Verdict
from credit_assets.loans.columns import select_outcomes
from credit_assets.settings.file import Settings

if TYPE_CHECKING:
    import pyarrow as pa
    from sklearn.pipeline import Pipeline

SPLIT_CHECKS: Mapping[str, str] = {
    "disjoint": "No loan is in both the training and the test part.",
    "stratified": "Both parts hold both classes in the dataset's shares, to within one loan in each class.",
}
MODEL_CHECKS: Mapping[str, str] = {
    "declared_features_only": "The model was fitted on exactly the declared features, and on no personal attribute.",
    "scores_are_probabilities": "Its scores on the test split are finite, between 0 and 1, and not all the same.",
}


def check_split(train: "pa.Table", test: "pa.Table", settings: Settings) -> list[Verdict]:
    """One verdict for each of `SPLIT_CHECKS`."""
    import pyarrow.compute as pc

    shared = pc.sum(pc.is_in(test.column(settings.table.id), train.column(settings.table.id))).as_py() or 0

    def defaults(part: "pa.Table") -> int:
        return int(select_outcomes(part, settings).sum())

    in_train, in_test = defaults(train), defaults(test)
    expected = (in_train + in_test) * test.num_rows / max(train.num_rows + test.num_rows, 1)
    return [
        Verdict("disjoint", shared == 0, f"{shared:,} of {test.num_rows:,} test loans are in the training part too"),
        Verdict(
            "stratified",
            abs(in_test - expected) <= 1 and 0 < in_train < train.num_rows and 0 < in_test < test.num_rows,
            f"{in_train:,} defaults in {train.num_rows:,} training loans, {in_test:,} in {test.num_rows:,} test loans; "
            f"expected {expected:.1f} in the test, and both classes in both",
            {"defaults in training": in_train, "defaults in test": in_test},
        ),
    ]


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
    scores = model.predict_proba(test.select(declared).to_pandas())[:, 1] if test.num_rows else np.empty(0)
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
