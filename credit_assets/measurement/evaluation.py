"""The evaluation of one model on the split that was held out beside it: every figure, and the report of them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from credit_assets.loans.columns import select_outcomes
from credit_assets.measurement.comparison import format_splits
from credit_assets.measurement.fairness import assign_bands, compare_groups
from credit_assets.measurement.figures import format_figure
from credit_assets.measurement.importance import sum_importance_by_column
from credit_assets.measurement.scores import THRESHOLD, Scores, compute_curves, compute_scores, format_text_report
from credit_assets.model.pipeline import score_loans
from credit_assets.settings.file import Settings
from resources.errors import PlatformError
from resources.store.formats import Document

if TYPE_CHECKING:
    import pyarrow as pa
    from sklearn.pipeline import Pipeline


class PairError(PlatformError, ValueError):
    """A model and a split that don't belong together."""


def refuse_other_pairs(model_facts: Mapping[str, Any], test_split_sha256: str) -> None:
    """Raises PairError unless the split is the one that was held out when this model was trained."""
    own = model_facts["test_split_sha256"]
    if own != test_split_sha256:
        raise PairError(
            f"trained_model was trained beside test_split {own[:12]}…, and was given {test_split_sha256[:12]}…: "
            "metrics on rows that it may have learned from flatter it. Materialize training (trained_model and "
            "test_split together), then model_metrics"
        )


def evaluate_model(
    model: "Pipeline", test: "pa.Table", settings: Settings, random_test: "pa.Table | None" = None
) -> dict[str, Any]:
    """Everything that is measured: scores, curves, importances by column, fairness by personal attribute.

    Holds aggregates only. As JSON: no NaN, None where a figure is not defined.

    Args:
        model: fitted on other loans.
        test: the loans that the figures are of.
        settings: features, target and personal attributes.
        random_test: beside a test of the newest loans, older ones that were drawn by lot. Their scores are in
            `random_split`.
    """
    outcome = select_outcomes(test, settings)
    probability = score_loans(model, test, settings)
    groups = {
        name: assign_bands(values, attribute.bands) if attribute.bands else values
        for name, attribute in settings.personal.items()
        for values in [test.column(name).to_pylist()]
    }
    return {
        "scores": asdict(compute_scores(outcome, probability)),
        "curves": compute_curves(outcome, probability),
        "importance": sum_importance_by_column(model),
        "fairness": compare_groups(groups, outcome, probability >= THRESHOLD, probability) if groups else [],
        **({} if random_test is None else {"random_split": {"scores": _measure_scores(model, random_test, settings)}}),
    }


def _measure_scores(model: "Pipeline", loans: "pa.Table", settings: Settings) -> dict[str, Any]:
    return asdict(compute_scores(select_outcomes(loans, settings), score_loans(model, loans, settings)))


def write_report(measured: Mapping[str, Any]) -> Document:
    """The report: all that was measured, as JSON, and the text that people mail around."""
    text = format_text_report(Scores(**measured["scores"]), _describe_origin(measured))
    return Document(measured, text + format_splits(measured))


def _describe_origin(measured: Mapping[str, Any]) -> dict[str, str]:
    """What the text says below the scores: cross-validation, and the digests of what was measured."""
    folds = measured["cross_validation"]
    validated = ""
    if folds:
        mean, deviation = format_figure(folds["roc_auc_mean"]), format_figure(folds["roc_auc_std"])
        validated = f"{mean} ± {deviation} over {folds['folds']} folds"
    lineage = {
        name.replace("_sha256", " sha256").replace("_", " "): value for name, value in measured["lineage"].items()
    }
    return ({"Cross-validated ROC AUC": validated} if validated else {}) | lineage
