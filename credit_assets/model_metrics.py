"""The metrics of exactly one model on exactly the split that was held out beside it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import dagster as dg

from credit_assets.checks.metrics_checks import METRICS_CHECKS, audit_metrics
from credit_assets.checks.verdict import publish, specs
from credit_assets.measurement import fairness, pictures
from credit_assets.measurement.scores import THRESHOLD, Scores, curves, score, text_report
from credit_assets.model.pipeline import features, outcomes
from credit_assets.settings import Settings, SettingsFile
from resources.store.checkpoints import Artifact, Checkpoints
from resources.store.formats import Document

if TYPE_CHECKING:
    import pyarrow as pa
    from sklearn.pipeline import Pipeline


class PairError(ValueError):
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


def evaluate(model: "Pipeline", test: "pa.Table", settings: Settings) -> dict[str, Any]:
    """Everything that is measured: scores, curves, importances by column, fairness by personal attribute.

    Holds aggregates only. As JSON: no NaN, None where a figure is not defined.
    """
    outcome = outcomes(test, settings)
    probability = model.predict_proba(features(test, settings))[:, 1]
    groups = {
        name: fairness.bands(values, attribute.bands) if attribute.bands else values
        for name, attribute in settings.personal.items()
        for values in [test.column(name).to_pylist()]
    }
    return {
        "scores": asdict(score(outcome, probability)),
        "curves": curves(outcome, probability),
        "importance": importance_by_column(model),
        "fairness": fairness.fairness_table(groups, outcome, probability >= THRESHOLD, probability) if groups else [],
    }


def importance_by_column(model: "Pipeline") -> dict[str, float]:
    """Mean decrease in impurity, summed over the one-hot columns of a category, greatest first; sums to 1."""
    encoder, forest = model.named_steps["encode"], model.named_steps["forest"]
    total = dict.fromkeys(model.feature_names_in_, 0.0)
    ((_, one_hot, categories), *_) = encoder.transformers_
    encoded = [
        name for name, levels in zip(categories, getattr(one_hot, "categories_", []), strict=False) for _ in levels
    ]
    passed = [name for name in model.feature_names_in_ if name not in categories]
    for name, value in zip([*encoded, *passed], forest.feature_importances_, strict=True):
        total[name] += float(value)
    return dict(sorted(total.items(), key=lambda item: -item[1]))


@dg.asset(
    group_name="credit",
    kinds={"scikitlearn", "json"},
    owners=["team:credit-risk"],
    code_version="1",
    io_manager_key="checkpoint_io",
    metadata={"format": "report"},
    check_specs=specs("model_metrics", METRICS_CHECKS),
)
def model_metrics(
    context: dg.AssetExecutionContext,
    settings: SettingsFile,
    checkpoints: Checkpoints,
    trained_model: Artifact,
    test_split: Artifact,
) -> Iterator[Any]:
    """How well the model tells defaults from repayments on loans it has not seen: JSON, and text to mail around."""
    declared = settings.load()
    refuse_other_pairs(trained_model.facts, test_split.sha256)
    pinned = {"trained_model_sha256": trained_model.sha256, "test_split_sha256": test_split.sha256}

    def measure() -> tuple[Document, dict[str, Any]]:
        context.log.info(f"measuring on {test_split.value.num_rows:,} held-out loans")
        measured = evaluate(trained_model.value, test_split.value, declared)
        measured |= {
            "cross_validation": trained_model.facts["cross_validation"],
            "lineage": pinned | {"content_sha256": trained_model.facts["content_sha256"]},
        }
        return Document(measured, text_report(Scores(**measured["scores"]), _lines(measured))), pinned

    work = checkpoints.work(context, "model_metrics", settings=declared.fingerprint, **pinned)
    report = work.adopt_or(measure)
    verdicts = audit_metrics(report.value.data, declared)
    yield from publish("model_metrics", report, _metadata(report.value.data), verdicts)


def _lines(measured: Mapping[str, Any]) -> dict[str, str]:
    """What the text file says below the scores: cross-validation, and which artifacts they are of."""
    folds = measured["cross_validation"]
    validated = f"{folds['roc_auc_mean']:.4f} ± {folds['roc_auc_std']:.4f} over {folds['folds']} folds" if folds else ""
    lineage = {
        name.replace("_sha256", " sha256").replace("_", " "): value for name, value in measured["lineage"].items()
    }
    return ({"Cross-validated ROC AUC": validated} if validated else {}) | lineage


def _metadata(measured: Mapping[str, Any]) -> dict[str, Any]:
    scores, drawn, importance = Scores(**measured["scores"]), measured["curves"], measured["importance"]
    shown = ("accuracy", "precision", "recall", "f1", "roc_auc", "gini", "ks", "brier")
    figures = {name: round(value, 4) for name in shown if (value := getattr(scores, name)) is not None}
    images = {
        "ROC curve": pictures.roc_picture(drawn["roc"], scores.roc_auc),
        "calibration": pictures.calibration_picture(drawn["calibration"], scores.brier),
        "confusion matrix": pictures.confusion_picture(scores),
        "feature importance": pictures.importance_picture(list(importance), list(importance.values())),
    }
    tables = (
        {"fairness": dg.MetadataValue.md(fairness.as_markdown(measured["fairness"]))} if measured["fairness"] else {}
    )
    return {
        "dagster/row_count": scores.rows,
        **figures,
        **measured["lineage"],
        "cross_validation": measured["cross_validation"] or "off (limits.cross_validation_folds)",
        "pictures": dg.MetadataValue.md("\n\n".join(pictures.as_markdown(png, name) for name, png in images.items())),
        **tables,
    }
