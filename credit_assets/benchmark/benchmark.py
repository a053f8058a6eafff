"""The asset `benchmark`: a logistic regression of the same loans, measured beside each model.

Nothing waits for it, and the rule of promotion does not read it. A step that can't make it fails its run, which is
retried, and the model is promoted all the same.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from credit_assets.benchmark.regression import COMPARED, count_learned_from, fit_benchmark, format_comparison
from credit_assets.checks.benchmark import BENCHMARK_CHECKS, check_benchmark
from credit_assets.checks.verdict import declare_checks, publish
from credit_assets.measurement.evaluation import evaluate_model
from credit_assets.measurement.figures import round_figure
from credit_assets.model.split import cut_test_split
from credit_assets.promotion.model_set import DATASET, METRICS, MODEL, SPLIT, refuse_mixtures
from credit_assets.settings.file import SettingsFile
from credit_assets.settings.learning.model import read_kind
from resources.store.artifacts import Committed
from resources.store.checkpoints import Artifact, Checkpoints
from resources.store.formats import Document
from resources.store.io_manager import MANIFEST_ONLY

BENCHMARK = "benchmark"


@dg.asset(
    key=BENCHMARK,
    group_name="credit",
    kinds={"scikitlearn", "json"},
    owners=["team:credit-risk"],
    code_version="1",
    io_manager_key="checkpoint_io",
    ins={MODEL: dg.AssetIn(metadata=MANIFEST_ONLY)},
    metadata={"format": "report"},
    # Where steps take turns, the promotion comes first.
    op_tags={"dagster/priority": "-1"},
    check_specs=declare_checks(BENCHMARK, BENCHMARK_CHECKS, blocking=False),
)
def benchmark(
    context: dg.AssetExecutionContext,
    settings: SettingsFile,
    checkpoints: Checkpoints,
    loan_dataset: Artifact,
    test_split: Artifact,
    trained_model: Committed,
    model_metrics: Artifact,
) -> Iterator[Any]:
    """How well a logistic regression of the same loans does on the same test split, beside the model of the run."""
    declared = settings.load()
    parts = {
        DATASET: loan_dataset.committed,
        SPLIT: test_split.committed,
        MODEL: trained_model,
        METRICS: model_metrics.committed,
    }
    refuse_mixtures(parts)
    pinned = {f"{name}_sha256": part.sha256 for name, part in parts.items()}
    facts, model = trained_model.manifest.facts, model_metrics.value.data["scores"]
    learned_from = count_learned_from(facts["rows"], declared)

    def measure() -> tuple[Document, dict[str, Any]]:
        context.log.info(f"training a logistic regression on {learned_from:,} loans, for the benchmark")
        regression = fit_benchmark(loan_dataset.value, declared, facts["parameters"])
        test, random_test = cut_test_split(test_split.value, test_split.facts)
        measured = evaluate_model(regression, test, declared, random_test)
        text = format_comparison(model, measured["scores"], read_kind(facts))
        return Document(measured | {"lineage": pinned}, text), pinned

    work = checkpoints.work(context, BENCHMARK, settings=declared.fingerprint, **pinned)
    report = work.adopt_or(measure)
    scores = report.value.data["scores"]
    described = {
        **{figure: round_figure(scores[figure]) for figure in COMPARED},
        **{f"{figure} of the model": round_figure(model[figure]) for figure in COMPARED},
        "kind of the model": read_kind(facts),
        "loans learned from": learned_from,
        **pinned,
    }
    yield from publish(BENCHMARK, report, described, check_benchmark(model, scores, declared))
