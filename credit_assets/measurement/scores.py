"""How good predictions are: their scores, the text report, and the curves that the pictures show.

Belongs here: figures of one set of predictions. Does not belong here: figures by group (`fairness`), and how a picture
is drawn (`pictures`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credit_assets.measurement.figures import format_figure

if TYPE_CHECKING:
    import numpy as np

THRESHOLD = 0.5
CALIBRATION_BINS = 10
ROC_POINTS = 100


@dataclass(frozen=True)
class Scores:
    """The scores of a set of predictions, as valid JSON. The positive class is a default.

    Attributes:
        rows: loans scored.
        positives: loans that defaulted.
        threshold: a probability at or above it predicts a default, like in scikit-learn's `FixedThresholdClassifier`.
        true_negatives: repaid, predicted to be repaid (TN).
        false_positives: repaid, predicted to default (FP).
        false_negatives: defaulted, predicted to be repaid (FN).
        true_positives: defaulted, predicted to default (TP).
        accuracy: (TP + TN) / rows.
        precision: TP / (TP + FP). None if no default is predicted: 0 would mean that every predicted default was
            false.
        recall: TP / (TP + FN), the true positive rate.
        f1: 2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall; 0 if no default is predicted.
        roc_auc: probability that a default is ranked above a repaid loan; a tie counts half (Hanley and McNeil 1982).
        gini: 2 AUC - 1, the accuracy ratio of credit scoring (Engelmann, Hayden and Tasche 2003).
        ks: max |TPR - FPR| over all thresholds. It is the Kolmogorov-Smirnov distance between the probabilities of
            defaults and those of repaid loans.
        brier: mean of (probability - outcome)², 0 is best (Brier 1950).
    """

    rows: int
    positives: int
    threshold: float
    true_negatives: int
    false_positives: int
    false_negatives: int
    true_positives: int
    accuracy: float
    precision: float | None
    recall: float
    f1: float
    roc_auc: float
    gini: float
    ks: float
    brier: float


def compute_scores(outcome: "np.ndarray", probability: "np.ndarray", threshold: float = THRESHOLD) -> Scores:
    """Compares predicted probabilities of default with the outcomes.

    Args:
        outcome: 1 for a loan that defaulted, else 0; shape (rows,).
        probability: the predicted probability of default; shape (rows,).
        threshold: a probability at or above it predicts a default.

    Raises:
        ValueError: the lengths differ, an outcome is not 0 or 1, there is one class only, or a probability is missing
            or outside 0 to 1.
    """
    import numpy as np
    from sklearn import metrics

    refuse_unusable(outcome, probability)
    decisions = probability >= threshold
    true_negatives, false_positives, false_negatives, true_positives = (
        int(count) for count in metrics.confusion_matrix(outcome, decisions).ravel()
    )
    false_positive_rate, true_positive_rate, _ = metrics.roc_curve(outcome, probability)
    roc_auc = float(metrics.roc_auc_score(outcome, probability))
    return Scores(
        rows=len(outcome),
        positives=true_positives + false_negatives,
        threshold=threshold,
        true_negatives=true_negatives,
        false_positives=false_positives,
        false_negatives=false_negatives,
        true_positives=true_positives,
        accuracy=float(metrics.accuracy_score(outcome, decisions)),
        precision=float(metrics.precision_score(outcome, decisions)) if decisions.any() else None,
        recall=float(metrics.recall_score(outcome, decisions)),
        f1=float(metrics.f1_score(outcome, decisions)),
        roc_auc=roc_auc,
        gini=2 * roc_auc - 1,
        ks=float(np.abs(true_positive_rate - false_positive_rate).max()),
        brier=float(metrics.brier_score_loss(outcome, probability)),
    )


def refuse_unusable(outcome: "np.ndarray", probability: "np.ndarray") -> None:
    """Raises ValueError for input that has no scores. The message counts the wrong rows and shows none of them."""
    import numpy as np

    if outcome.ndim != 1 or outcome.shape != probability.shape:
        raise ValueError(
            "outcome and probability must be of one length, one value a loan; "
            f"got shapes {outcome.shape} and {probability.shape}"
        )
    if unknown := int(np.sum(~np.isin(outcome, (0, 1)))):
        raise ValueError(f"outcome must be 0 or 1; {unknown} of {len(outcome)} rows are neither")
    if outside := int(np.sum(~((probability >= 0) & (probability <= 1)))):
        raise ValueError(f"probability must be within 0 to 1; {outside} of {len(outcome)} rows are missing or outside")
    if len(classes := np.unique(outcome)) < 2:
        raise ValueError(
            f"outcome must hold both classes; all {len(outcome)} rows are {', '.join(map(str, classes)) or 'missing'}: "
            "test on more loans, or correct target.positive in the settings"
        )


def compute_curves(outcome: "np.ndarray", probability: "np.ndarray") -> dict[str, Any]:
    """The ROC curve and the calibration of predictions, short enough to be stored as JSON.

    Returns:
        `roc`: `false_positive_rate` and `true_positive_rate`, the coordinates of at most 101 points of the curve. The
        points are evenly spaced from (0, 0) to (1, 1), and the point where KS is measured is one of them.
        `calibration`: at most ten bins between the deciles of the probability, from low to high, fewer if deciles are
        equal. Each bin has `predicted` (mean probability), `observed` (share of defaults) and `rows`.

    Raises:
        ValueError: like `compute_scores`.
    """
    import numpy as np
    from sklearn.metrics import roc_curve

    refuse_unusable(outcome, probability)
    false_positive_rate, true_positive_rate, _ = roc_curve(outcome, probability)
    evenly_spaced = np.searchsorted(false_positive_rate + true_positive_rate, np.linspace(0, 2, ROC_POINTS - 1))
    farthest = np.abs(true_positive_rate - false_positive_rate).argmax()
    points = np.unique([0, *evenly_spaced.clip(max=len(false_positive_rate) - 1), farthest])

    deciles = np.quantile(probability, np.linspace(0, 1, CALIBRATION_BINS + 1))
    bins = np.searchsorted(deciles[1:-1], probability)
    return {
        "roc": {
            "false_positive_rate": false_positive_rate[points].round(6).tolist(),
            "true_positive_rate": true_positive_rate[points].round(6).tolist(),
        },
        "calibration": [
            {
                "predicted": round(float(probability[bins == each].mean()), 6),
                "observed": round(float(outcome[bins == each].mean()), 6),
                "rows": int((bins == each).sum()),
            }
            for each in np.unique(bins)
        ],
    }


def format_text_report(scores: Scores, facts: Mapping[str, str]) -> str:
    """Writes the text report: the four main metrics, the other figures, then the facts about model and data.

    Args:
        facts: label and value of each line about the origin of the figures, such as the model's sha256.
    """
    precision = format_figure(scores.precision)
    if scores.precision is None:
        precision += " (no default was predicted)"
    figures = {
        "ROC AUC": format_figure(scores.roc_auc),
        "Gini": format_figure(scores.gini),
        "KS": format_figure(scores.ks),
        "Brier score": format_figure(scores.brier),
        "Rows": f"{scores.rows:,}",
        "Defaults": f"{scores.positives:,} ({scores.positives / scores.rows:.1%})",
        "Threshold": f"{scores.threshold:g} (a probability at or above it predicts a default)",
        "True positives": f"{scores.true_positives:,} (defaulted, predicted to default)",
        "False positives": f"{scores.false_positives:,} (repaid, predicted to default)",
        "True negatives": f"{scores.true_negatives:,} (repaid, predicted to be repaid)",
        "False negatives": f"{scores.false_negatives:,} (defaulted, predicted to be repaid)",
    }
    width = max(map(len, [*figures, *facts])) + 2
    lines = [
        "Model Performance Metrics",
        "========================",
        f"Accuracy: {format_figure(scores.accuracy)}",
        f"Precision: {precision}",
        f"Recall: {format_figure(scores.recall)}",
        f"F1 Score: {format_figure(scores.f1)}",
        "",
        *(f"{label + ':':<{width}}{value}" for label, value in figures.items()),
        *([""] if facts else []),
        *(f"{label + ':':<{width}}{value}" for label, value in facts.items()),
    ]
    return "\n".join(lines) + "\n"
