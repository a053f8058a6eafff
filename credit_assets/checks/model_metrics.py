"""Checks on the metrics, before they are committed."""

from collections.abc import Mapping
from typing import Any

from credit_assets.checks.verdict import Verdict
from credit_assets.settings.file import Settings

METRICS_CHECKS: Mapping[str, str] = {
    "auc_floor": "The model ranks the held-out loans at least as well as limits.minimum_auc.",
    "beats_the_base_rate": "Its Brier score is below that of always predicting the share of defaults.",
}


def check_metrics(measured: Mapping[str, Any], settings: Settings) -> list[Verdict]:
    """One verdict for each of `METRICS_CHECKS`."""
    scores, floor = measured["scores"], settings.limits.minimum_auc
    share = scores["positives"] / scores["rows"]
    return [
        Verdict(
            "auc_floor",
            scores["roc_auc"] >= floor,
            f"ROC AUC is {scores['roc_auc']:.4f}; expected at least {floor} (limits.minimum_auc)",
            {"roc_auc": scores["roc_auc"]},
        ),
        Verdict(
            "beats_the_base_rate",
            scores["brier"] < share * (1 - share),
            f"Brier score is {scores['brier']:.4f}; always predicting {share:.1%} scores {share * (1 - share):.4f}",
            {"brier": scores["brier"]},
        ),
    ]
