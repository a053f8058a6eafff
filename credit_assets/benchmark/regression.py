"""The regression that a run's model is compared with, and the comparison, as pure functions."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from credit_assets.measurement.figures import format_figure
from credit_assets.model.growth import AtOnce
from credit_assets.model.pipeline import TrainingConfig, fit_pipeline
from credit_assets.model.split import split_rows
from credit_assets.settings.file import Settings

if TYPE_CHECKING:
    import pyarrow as pa
    from sklearn.pipeline import Pipeline

# What the two are compared by, as metrics name it and as people read it.
COMPARED = {"roc_auc": "ROC AUC", "gini": "Gini", "ks": "KS", "brier": "Brier score"}

# A regression holds all its numbers several times. So many values of features are 100,000 loans with fifty features.
MOST_VALUES = 5_000_000


def fit_benchmark(loans: "pa.Table", settings: Settings, parameters: Mapping[str, Any]) -> "Pipeline":
    """The regression, fitted on the rows that the model was trained on, or on some of them, drawn by lot.

    Args:
        loans: the whole dataset.
        settings: of the model.
        parameters: of the model's training; its split and its seed are used, and those of its trees are not.
    """
    import numpy as np

    config = TrainingConfig(**parameters)
    rows = split_rows(loans, settings, config).training
    if (most := count_learned_from(len(rows), settings)) < len(rows):
        rows = np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
    return fit_pipeline(loans, _declare_regression(settings), config, AtOnce(), rows)


def count_learned_from(rows: int, settings: Settings) -> int:
    """How many of so many training rows the regression learns from: all, if they have at most `MOST_VALUES` values."""
    return min(rows, max(MOST_VALUES // len(settings.features), 1))


def _declare_regression(settings: Settings) -> Settings:
    """The settings of the regression: the same columns, without the directions that it can't be held to."""
    features = {name: column.model_copy(update={"monotonic": None}) for name, column in settings.features.items()}
    model = settings.model.model_copy(update={"kind": "logistic_regression"})
    return settings.model_copy(update={"features": features, "model": model})


def format_comparison(model: Mapping[str, Any], benchmark: Mapping[str, Any], kind: str) -> str:
    """A line with the figures of each, and a sentence if both are one regression.

    Of very many loans the benchmark learns from some only, so that two regressions may differ.

    Args:
        model: scores of the run's model.
        benchmark: scores of the regression on the same loans.
        kind: of the run's model.
    """
    lines = {"": list(COMPARED.values())} | {
        name: [format_figure(scores[figure]) for figure in COMPARED]
        for name, scores in {f"the model, {kind}": model, "the benchmark, logistic_regression": benchmark}.items()
    }
    table = [f"{name:<35}" + "".join(f"{each:>13}" for each in figures) for name, figures in lines.items()]
    is_same = kind == "logistic_regression" and all(model[figure] == benchmark[figure] for figure in COMPARED)
    same = ["The model is a logistic regression too, so both are the same."] if is_same else []
    return "\n".join(["Benchmark, on the same loans", "============================", *table, *same]) + "\n"
