"""A model that a simple one beats must be shown as such, and must not be held back by it."""

import pytest

from credit_assets.checks.benchmark import BENCHMARK_CHECKS, check_benchmark
from credit_assets.settings.file import Settings

SETTINGS = Settings.model_validate(
    {
        "table": {"name": "loans"},
        "target": {"column": "bad"},
        "features": {"income": {"type": "number"}},
        "promotion": {"maximum_auc_loss": 0.125},
    }
)


@pytest.mark.parametrize(("model", "passes"), [(0.9, True), (0.75, True), (0.625, True), (0.5, False)])
def test_a_model_that_ranks_much_worse_than_the_benchmark_gets_a_warning_and_is_not_stopped(
    model: float, passes: bool
) -> None:
    (verdict,) = check_benchmark({"roc_auc": model}, {"roc_auc": 0.75}, SETTINGS)
    assert verdict.passed is passes
    assert not verdict.blocking
    assert verdict.severity.value == "WARN"
    assert verdict.check in BENCHMARK_CHECKS
    assert verdict.message == (
        f"ROC AUC is {model:.4f}, and that of the benchmark 0.7500; expected at most 0.125 below it "
        "(promotion.maximum_auc_loss)"
    )
