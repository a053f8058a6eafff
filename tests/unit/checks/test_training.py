"""A test split that shares a loan with the training, or a model that saw what it must not, looks better than it is."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline

from credit_assets.checks.training import MODEL_CHECKS, SPLIT_CHECKS, check_model, check_split
from credit_assets.loans.columns import select_features
from credit_assets.model.growth import AtOnce
from credit_assets.model.pipeline import TrainingConfig, fit_pipeline
from credit_assets.model.split import split_rows
from credit_assets.settings.file import Settings

ROWS = 200
SETTINGS = Settings.model_validate(
    {
        "table": {"name": "loans"},
        "target": {"column": "default_status"},
        "features": {"income": {"type": "number"}, "purpose": {"type": "category"}},
        "personal": {"age": {"type": "integer"}},
    }
)
CONFIG = TrainingConfig(n_estimators=3)


def loans(rows: int = ROWS, first_id: int = 1, defaults: int | None = None) -> pa.Table:
    """Loans of which the first so many defaulted; without a number, one in four."""
    outcome = np.arange(rows) % 4 == 0 if defaults is None else np.arange(rows) < defaults
    return pa.table(
        {
            "id": np.arange(first_id, first_id + rows),
            "default_status": outcome.astype("int64"),
            "income": np.random.default_rng(7).uniform(0, 100, rows) - 30.0 * outcome,
            "purpose": pa.array(np.resize(["car", "house", "boat"], rows), pa.string()),
            "age": np.resize(np.arange(18, 90), rows),
        }
    )


def split_failures(training: pa.Table, test: pa.Table) -> dict[str, str]:
    verdicts = check_split(training, test, None, SETTINGS)
    assert {each.check for each in verdicts} == set(SPLIT_CHECKS)
    return {each.check: each.message for each in verdicts if not each.passed}


def model_failures(model: Any, test: pa.Table) -> dict[str, str]:
    return {each.check: each.message for each in check_model(model, test, SETTINGS) if not each.passed}


@pytest.fixture(scope="module")
def model() -> Pipeline:
    return fit_pipeline(loans(), SETTINGS, CONFIG, AtOnce())


@pytest.mark.parametrize("defaults", [2, 3, 50, 101])
def test_the_split_of_a_training_passes(defaults: int) -> None:
    table = loans(201, defaults=defaults)
    split = split_rows(table, SETTINGS, TrainingConfig(test_share=0.4))
    training, test = table.take(split.training), table.take(split.test)
    assert split_failures(training, test) == {}
    assert training.num_rows + test.num_rows == 201


def test_one_loan_in_both_parts_is_found_and_not_quoted() -> None:
    table = loans()
    training, test = table.slice(0, 160), table.slice(160)
    assert split_failures(training, test) == {}
    (message,) = [split_failures(training, pa.concat_tables([test.slice(1), training.slice(4, 1)]))["disjoint"]]
    assert message == "1 of 40 test loans are in the training part too"


def test_loans_differ_by_their_id_and_not_by_their_values() -> None:
    training = loans(160)
    twins = loans(40, first_id=1001)
    assert split_failures(training, twins) == {}
    assert split_failures(training, loans(40)) == {"disjoint": "40 of 40 test loans are in the training part too"}


@pytest.mark.parametrize(("defaults", "passes"), [(8, False), (9, True), (10, True), (11, True), (12, False)])
def test_the_test_part_has_its_share_of_defaults_to_within_one(defaults: int, passes: bool) -> None:
    training, test = loans(160, defaults=50 - defaults), loans(40, 1001, defaults=defaults)
    failures = split_failures(training, test)
    assert list(failures) == ([] if passes else ["stratified"])
    if not passes:
        assert failures["stratified"] == (
            f"{50 - defaults} defaults in 160 training loans, {defaults} in 40 test loans; expected 10.0 in the test, "
            "and both classes in both"
        )


@pytest.mark.parametrize(("in_training", "in_test"), [(1, 0), (0, 1), (160, 39), (159, 40), (0, 0)])
def test_a_part_without_one_of_the_classes_can_neither_teach_nor_test(in_training: int, in_test: int) -> None:
    training, test = loans(160, defaults=in_training), loans(40, 1001, defaults=in_test)
    assert list(split_failures(training, test)) == ["stratified"]


@pytest.mark.parametrize(("training", "test"), [(0, 40), (160, 0), (0, 0)])
def test_an_empty_part_is_a_failure_and_no_crash(training: int, test: int) -> None:
    assert list(split_failures(loans(training), loans(test, 1001))) == ["stratified"]


def test_a_feature_that_no_training_loan_has_is_named_and_one_value_or_a_personal_attribute_is_enough() -> None:
    declared = SETTINGS.model_dump()
    for columns, name in (("features", "income"), ("features", "purpose"), ("personal", "age")):
        declared[columns][name]["missing"] = "allowed"
    settings, training, test = Settings.model_validate(declared), loans(160), loans(40, 1001)

    def fail(**kept: int) -> dict[str, str]:
        """The failures if the training part has only so many values of these columns."""
        table = training
        for name, count in kept.items():
            at, field = table.schema.get_field_index(name), table.schema.field(name)
            values = [value if row < count else None for row, value in enumerate(table.column(name).to_pylist())]
            table = table.set_column(at, field, pa.array(values, field.type))
        return {each.check: each.message for each in check_split(table, test, None, settings) if not each.passed}

    assert fail() == fail(income=1, purpose=1, age=0) == {}
    assert fail(income=0, purpose=1) == {
        "features_have_values": "no training loan has a value of income, so a model can't learn from it. Take it out "
        "of the settings until older loans have values"
    }
    assert "a value of income, purpose, so" in fail(income=0, purpose=0)["features_have_values"]


def test_a_trained_model_passes(model: Pipeline) -> None:
    verdicts = check_model(model, loans(), SETTINGS)
    assert {each.check for each in verdicts} == set(MODEL_CHECKS)
    assert all(each.passed for each in verdicts)


@pytest.mark.parametrize(
    "fitted", [["income"], ["purpose", "income"], ["income", "purpose", "age"], ["income", "purpose", "id"]]
)
def test_a_model_of_other_columns_fails_by_their_names_and_is_not_asked_for_scores(fitted: list[str]) -> None:
    table = loans()
    model = DummyClassifier().fit(table.select(fitted).to_pandas(), table["default_status"].to_numpy())
    assert model_failures(model, table) == {
        "declared_features_only": f"fitted on {', '.join(fitted)}; declared are income, purpose"
    }


def test_a_model_that_says_the_same_of_every_loan_fails() -> None:
    table = loans()
    model = DummyClassifier(strategy="prior").fit(select_features(table, SETTINGS), table["default_status"].to_numpy())
    assert list(model_failures(model, table)) == ["scores_are_probabilities"]


class Scorer:
    """A model whose scores are given."""

    feature_names_in_ = ("income", "purpose")

    def __init__(self, *scores: float) -> None:
        self.scores = np.array(scores)

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        assert list(frame.columns) == ["income", "purpose"]
        return np.column_stack([1 - self.scores, self.scores])


@pytest.mark.parametrize("scores", [(0.0, 1.0), (0.5, np.nextafter(0.5, 1))])
def test_scores_may_be_the_bounds_and_nearly_the_same(scores: tuple[float, ...]) -> None:
    assert model_failures(Scorer(*scores), loans(2)) == {}


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, np.nextafter(0, -1), np.nextafter(1, 2)])
def test_one_score_that_is_no_probability_is_found(wrong: float) -> None:
    assert list(model_failures(Scorer(0.2, wrong), loans(2))) == ["scores_are_probabilities"]


def test_without_a_loan_to_score_a_model_fails_and_does_not_crash(model: Pipeline) -> None:
    failures = model_failures(model, loans(0))
    assert failures == {
        "scores_are_probabilities": "0 scores, spread over 0.000; expected finite scores from 0 to 1 that differ"
    }
