"""The sections [limits], [promotion] and [refresh], for a table of so many rows.

Belongs here: numbers that follow from the number of rows. Does not belong here: what a limit means
(`credit_assets.settings.limits`).
"""

import math

from credit_assets.inspection.lines import LOOK, Line
from credit_assets.settings.limits import Limits, Promotion, Refresh

TEST_SHARE = 0.2
# A table with so many rows at most is validated in folds.
SMALL, FOLDS = 5_000, 10
# What a model on a lender's table often reaches; the standard error of an AUC depends on it a little.
USUAL_AUC = 0.75


def propose_limits(rows: int, share: float, unknown: float = 0.0) -> dict[str, list[Line]]:
    """The three sections.

    Args:
        rows: how many rows the table has, or seems to have.
        share: of the loans that defaulted, among those with an outcome; 0 if it is not known.
        unknown: the share of loans without an outcome. Checks and training take the others only.
    """
    rarer, known = min(share, 1 - share), int(rows * (1 - unknown))
    return {
        "limits": [_minimum_rows(known), *_class_share(rarer), *_unknown(unknown), *_aucs(), _folds(known, rarer)],
        "promotion": [
            Line("minimum_auc", Promotion().minimum_auc, "the default"),
            _auc_loss(known, rarer),
        ],
        "refresh": [
            Line("new_loans", max(1, min(Refresh().new_loans, rows // 10)), "so many new loans start a run"),
            Line(
                "new_loans_share",
                Refresh().new_loans_share,
                "the default: and at least this share of the last dataset",
            ),
        ],
    }


def _unknown(unknown: float) -> list[Line]:
    if unknown <= Limits().maximum_missing_outcome_share:
        return []
    limit = math.ceil(unknown * 20) / 20
    return [Line("maximum_missing_outcome_share", limit, f"{LOOK} {unknown:.1%} of the loans have no outcome")]


def _minimum_rows(rows: int) -> Line:
    fewest = 50
    proposed = min(Limits().minimum_rows, max(fewest, rows // 2))
    if rows < fewest:
        return Line("minimum_rows", proposed, f"{LOOK} {rows:,} loans have an outcome, and a model needs more")
    return Line("minimum_rows", proposed, f"{rows:,} loans have an outcome")


def _class_share(rarer: float) -> list[Line]:
    default = Limits().minimum_class_share
    if not rarer or rarer > 2 * default:
        return [Line("minimum_class_share", default, "the default")]
    half = float(f"{rarer / 2:.1g}")
    return [Line("minimum_class_share", half, f"{LOOK} few loans have the rarer outcome: {rarer:.2%}")]


def _aucs() -> list[Line]:
    limits = Limits()
    return [
        Line(
            "maximum_feature_auc",
            limits.maximum_feature_auc,
            "the default; one feature alone that ranks better has seen the outcome",
        ),
        Line("minimum_auc", limits.minimum_auc, "the default"),
    ]


def _folds(rows: int, rarer: float) -> Line:
    tested = f"a test split of {int(rows * TEST_SHARE):,} rows"
    if rows > SMALL:
        return Line("cross_validation_folds", 0, f"none: {tested} is enough")
    if rarer and rows * rarer < 2 * FOLDS:
        return Line("cross_validation_folds", 0, "none: the rarer outcome has too few rows")
    return Line("cross_validation_folds", FOLDS, f"{tested} says little by itself")


def _auc_loss(rows: int, rarer: float) -> Line:
    """Above the standard error of the AUC in the test split, by Hanley and McNeil 1982."""
    default = Promotion().maximum_auc_loss
    positives = rows * TEST_SHARE * (rarer or 0.2)
    negatives = rows * TEST_SHARE - positives
    if positives < 1 or negatives < 1:
        return Line("maximum_auc_loss", default, "the default")
    auc = USUAL_AUC
    first, second = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = (auc * (1 - auc) + (positives - 1) * (first - auc**2) + (negatives - 1) * (second - auc**2)) / (
        positives * negatives
    )
    error = math.sqrt(variance)
    if error < default:
        return Line("maximum_auc_loss", default, "the default")
    loss = min(0.5, math.ceil(error * 100) / 100)
    return Line("maximum_auc_loss", loss, f"the AUC of a test split of this size has a standard error of {error:.3f}")
