"""The scores of a model on two tests, side by side: on the newest loans, and on older ones that were drawn by lot.

Belongs here: which figures are compared, and their text. Does not belong here: what is measured (`evaluation`).
"""

from collections.abc import Mapping
from typing import Any

from credit_assets.measurement.figures import format_figure

FIGURES = {
    "roc_auc": "ROC AUC",
    "gini": "Gini",
    "ks": "KS",
    "brier": "Brier score",
    "accuracy": "Accuracy",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1 Score",
}
COUNTS = {"rows": "Rows", "positives": "Defaults"}
HEADINGS = ("", "out of time", "random")


def compare_splits(measured: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """A row for each figure: its name, its value out of time, and its value on the random split; else no row."""
    if "random_split" not in measured:
        return []
    newest, drawn = measured["scores"], measured["random_split"]["scores"]
    rows = [(title, format_figure(newest[name]), format_figure(drawn[name])) for name, title in FIGURES.items()]
    return rows + [(title, f"{newest[name]:,}", f"{drawn[name]:,}") for name, title in COUNTS.items()]


def format_splits(measured: Mapping[str, Any]) -> str:
    """The rows as text, below a heading; empty without a split by time."""
    rows = compare_splits(measured)
    lines = [f"{title:<16}{newest:>12}{drawn:>12}" for title, newest, drawn in ([HEADINGS, *rows] if rows else [])]
    return "\n".join(["", *lines, ""]) if lines else ""
