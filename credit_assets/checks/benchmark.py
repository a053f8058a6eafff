"""The check on the benchmark. It does not block: it is about the run's model, which may be promoted already."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from credit_assets.checks.verdict import Verdict
from credit_assets.settings.file import Settings

BENCHMARK_CHECKS: Mapping[str, str] = {
    "model_keeps_up": "The run's model ranks the held-out loans at most promotion.maximum_auc_loss worse than a "
    "logistic regression does. If not, the model is promoted all the same, and a person should look why.",
}


def check_benchmark(model: Mapping[str, Any], benchmark: Mapping[str, Any], settings: Settings) -> list[Verdict]:
    """One verdict for each of `BENCHMARK_CHECKS`.

    Args:
        model: scores of the run's model.
        benchmark: scores of the regression, on the same loans.
        settings: with the limit.
    """
    limit, loss = settings.promotion.maximum_auc_loss, benchmark["roc_auc"] - model["roc_auc"]
    return [
        Verdict(
            "model_keeps_up",
            loss <= limit,
            f"ROC AUC is {model['roc_auc']:.4f}, and that of the benchmark {benchmark['roc_auc']:.4f}; expected at "
            f"most {limit} below it (promotion.maximum_auc_loss)",
            {"roc_auc": model["roc_auc"], "roc_auc of the benchmark": benchmark["roc_auc"]},
            blocking=False,
            severity=dg.AssetCheckSeverity.WARN,
        )
    ]
