"""The metrics of exactly one model on exactly the split that was held out beside it."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from credit_assets.checks.model_metrics import METRICS_CHECKS, check_metrics
from credit_assets.checks.verdict import declare_checks, publish
from credit_assets.measurement.evaluation import evaluate_model, refuse_other_pairs, write_report
from credit_assets.measurement.presentation import describe_metrics
from credit_assets.model.split import cut_test_split
from credit_assets.settings.file import SettingsFile
from credit_assets.settings.learning.target import refuse_other_target
from resources.store.checkpoints import Artifact, Checkpoints
from resources.store.formats import Document

TRAIN_AGAIN = "Materialize loan_dataset, test_split and trained_model again"


@dg.asset(
    group_name="credit",
    kinds={"scikitlearn", "json"},
    owners=["team:credit-risk"],
    code_version="1",
    io_manager_key="checkpoint_io",
    metadata={"format": "report"},
    check_specs=declare_checks("model_metrics", METRICS_CHECKS),
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
    refuse_other_target("the latest trained_model", trained_model.facts, declared.target, TRAIN_AGAIN)
    pinned = {"trained_model_sha256": trained_model.sha256, "test_split_sha256": test_split.sha256}

    def measure() -> tuple[Document, dict[str, Any]]:
        context.log.info(f"measuring on {test_split.value.num_rows:,} held-out loans")
        test, random_test = cut_test_split(test_split.value, test_split.facts)
        measured = evaluate_model(trained_model.value, test, declared, random_test) | {
            "cross_validation": trained_model.facts["cross_validation"],
            "lineage": pinned | {"content_sha256": trained_model.facts["content_sha256"]},
        }
        return write_report(measured), pinned

    work = checkpoints.work(context, "model_metrics", settings=declared.fingerprint, **pinned)
    report = work.adopt_or(measure)
    measured = report.value.data
    yield from publish("model_metrics", report, describe_metrics(measured), check_metrics(measured, declared))
