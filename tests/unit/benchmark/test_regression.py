"""A benchmark of other loans, or of other columns, than the model's says nothing about the model."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from credit_assets.benchmark import regression
from credit_assets.benchmark.regression import fit_benchmark, format_comparison
from credit_assets.loans.columns import select_features
from credit_assets.measurement.evaluation import evaluate_model
from credit_assets.model.growth import AtOnce
from credit_assets.model.pipeline import TrainingConfig, fit_pipeline
from credit_assets.model.split import split_rows
from credit_assets.settings.file import Settings

CONFIG = TrainingConfig(n_estimators=8, max_depth=3, random_state=5, test_share=0.3)


def declare(kind: str = "random_forest", **income: Any) -> Settings:
    return Settings.model_validate(
        {
            "table": {"name": "loans"},
            "target": {"column": "bad"},
            "features": {"income": {"type": "number", **income}, "term": {"type": "integer"}},
            "personal": {"age": {"type": "integer", "bands": [40]}},
            "model": {"kind": kind},
        }
    )


@pytest.fixture(scope="module")
def loans() -> pa.Table:
    rng = np.random.default_rng(3)
    income, rows = rng.normal(40, 9, 600), 600
    return pa.table(
        {
            "id": np.arange(rows),
            "income": income,
            "term": rng.integers(6, 72, rows),
            "age": rng.integers(18, 80, rows),
            "bad": (income + rng.normal(scale=8, size=rows) < 35).astype("int64"),
        }
    )


def test_it_is_a_regression_on_the_training_rows_of_the_model_and_on_no_other(loans) -> None:
    train = split_rows(loans, declare(), CONFIG).training
    frame = loans.take(train).select(["income", "term"]).to_pandas()
    scaler = StandardScaler().fit(frame.to_numpy())
    own = LogisticRegression(max_iter=1_000).fit(scaler.transform(frame.to_numpy()), loans.take(train)["bad"])
    ours = fit_benchmark(loans, declare(), CONFIG.model_dump())
    assert np.allclose(ours[-1].coef_, own.coef_)
    other = fit_benchmark(loans, declare(), CONFIG.model_copy(update={"random_state": 6}).model_dump())
    assert not np.allclose(ours[-1].coef_, other[-1].coef_), "the rows are those of the model's own split"


def test_hyperparameters_and_directions_of_the_model_do_not_reach_it(loans) -> None:
    plain = fit_benchmark(loans, declare(), CONFIG.model_dump())
    directed = fit_benchmark(loans, declare(monotonic="increasing"), CONFIG.model_dump() | {"n_estimators": 300})
    assert np.array_equal(plain[-1].coef_, directed[-1].coef_)


def test_missing_values_that_a_forest_takes_as_they_are_do_not_stop_it(loans) -> None:
    income = loans["income"].to_numpy().copy()
    income[::7] = np.nan
    lacking = loans.set_column(loans.schema.get_field_index("income"), "income", pa.array(income))
    settings = declare(missing="allowed")
    scores = fit_benchmark(lacking, settings, CONFIG.model_dump()).predict_proba(select_features(lacking, settings))
    assert np.isfinite(scores).all()


def test_beside_a_model_that_is_a_regression_it_is_the_same_model(loans) -> None:
    settings, config = declare("logistic_regression"), CONFIG.model_copy(update={"n_estimators": 100, "max_depth": 10})
    split = split_rows(loans, settings, config)
    model = fit_pipeline(loans.take(split.training), settings, config, AtOnce())
    scores, same = (
        evaluate_model(each, loans.take(split.test), settings)["scores"]
        for each in (model, fit_benchmark(loans, settings, config.model_dump()))
    )
    assert scores == same
    assert "so both are the same" in format_comparison(scores, same, "logistic_regression")
    other = scores | {"roc_auc": scores["roc_auc"] - 0.01}
    assert "the same." not in format_comparison(scores, other, "logistic_regression"), "it learned from fewer loans"
    assert "the same." not in format_comparison(scores, scores, "random_forest")


def test_the_numbers_of_big_categories_are_those_of_a_regression_with_the_seed_of_the_run(loans) -> None:
    towns = pa.array([f"t{number % 40}" for number in range(loans.num_rows)])
    loans, declared = loans.append_column("town", towns), declare("logistic_regression").model_dump()
    declared["features"]["town"] = {"type": "category"}
    settings = Settings.model_validate(declared | {"model": {"kind": "logistic_regression", "one_hot_levels": 5}})
    config = CONFIG.model_copy(update={"n_estimators": 100, "max_depth": 10})
    train = split_rows(loans, settings, config).training
    model = fit_pipeline(loans, settings, config, AtOnce(), train)
    assert np.array_equal(fit_benchmark(loans, settings, config.model_dump())[-1].coef_, model[-1].coef_)
    other = fit_pipeline(loans, settings, TrainingConfig(), AtOnce(), train)
    assert not np.array_equal(other[-1].coef_, model[-1].coef_), "the seed has no effect on these categories"


def test_both_are_shown_by_the_same_figures_and_a_better_benchmark_is_not_hidden() -> None:
    model = {"roc_auc": 0.7, "gini": 0.4, "ks": 0.31, "brier": 0.2}
    benchmark = {"roc_auc": 0.8, "gini": 0.6, "ks": 0.41, "brier": 0.1}
    *_, head, first, second = format_comparison(model, benchmark, "random_forest").splitlines()
    assert head.split("  ")[-1].strip() == "Brier score"
    assert first.split() == ["the", "model,", "random_forest", "0.7000", "0.4000", "0.3100", "0.2000"]
    assert second.split() == ["the", "benchmark,", "logistic_regression", "0.8000", "0.6000", "0.4100", "0.1000"]


def test_of_very_many_loans_it_learns_from_some_drawn_by_lot_so_that_they_fit_into_memory(loans, monkeypatch) -> None:
    train = split_rows(loans, declare(), CONFIG).training
    assert fit_benchmark(loans, declare(), CONFIG.model_dump())["scale"].n_samples_seen_ == len(train)
    monkeypatch.setattr(regression, "MOST_VALUES", 200)  # of two features
    one, two = (fit_benchmark(loans, declare(), CONFIG.model_dump()) for _ in range(2))
    assert one["scale"].n_samples_seen_ == 100
    assert np.array_equal(one[-1].coef_, two[-1].coef_), "another run draws the same loans"
    first = fit_pipeline(loans, declare("logistic_regression"), TrainingConfig(), AtOnce(), train[:100])
    assert not np.allclose(one[-1].coef_, first[-1].coef_), "the first loans are the oldest"
