"""Encoded in another way than a small table, a large one makes another model; encoded at once, it makes none."""

import hashlib
import io
import tracemalloc

import joblib
import numpy as np
import pyarrow as pa
import pytest

from credit_assets.loans.columns import select_features, select_outcomes
from credit_assets.model import encoding, pipeline
from credit_assets.model.encoding import build_encoder, fit_encoder
from credit_assets.model.growth import AtOnce
from credit_assets.model.pipeline import TrainingConfig, fit_pipeline, score_loans
from credit_assets.settings.file import Settings

CONFIG = TrainingConfig(n_estimators=4, max_depth=4)
ROWS, NUMBERS = 30_000, 20


def declare(kind: str = "random_forest") -> Settings:
    names = {f"number_{number}": "number" for number in range(NUMBERS)} | {"purpose": "category", "region": "category"}
    return Settings.model_validate(
        {
            "table": {"name": "loans"},
            "target": {"column": "bad"},
            "features": {name: {"type": each, "missing": "allowed"} for name, each in names.items()},
            "model": {"kind": kind},
        }
    )


@pytest.fixture(scope="module")
def loans() -> pa.Table:
    """A fifth of the values are missing, and one level is that of the last loan alone."""
    rng = np.random.default_rng(4)

    def lack(values: np.ndarray) -> pa.Array:
        return pa.array(values, mask=rng.random(ROWS) < 0.2)

    numbers = rng.normal(size=(NUMBERS, ROWS))
    region = rng.choice(["north", "south", "east"], ROWS).astype(object)
    columns = {f"number_{number}": lack(values) for number, values in enumerate(numbers)}
    columns |= {"purpose": lack(rng.choice(["car", "house"], ROWS)), "region": lack(region)}
    columns["region"] = pa.array([*columns["region"].to_pylist()[:-1], "an island"])
    return pa.table(columns | {"bad": pa.array((numbers[0] > 0.8).astype("int64"))})


def encode(loans: pa.Table, rows: np.ndarray, number: str = "float64") -> np.ndarray:
    return fit_encoder(loans, rows, select_outcomes(loans, declare(), rows), declare(), 0, number)[1]


def sha256(model: object) -> str:
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def test_parts_give_the_numbers_that_the_whole_table_gives(loans, monkeypatch) -> None:
    whole = build_encoder(select_features(loans, declare()), declare(), 0)
    expected = whole.fit_transform(select_features(loans, declare()))
    monkeypatch.setattr(encoding, "NUMBERS_AT_ONCE", 100_000)
    encoder = fit_encoder(loans, np.arange(ROWS), np.zeros(ROWS), declare(), 0, "float64")[0]
    assert np.array_equal(encode(loans, np.arange(ROWS)), expected, equal_nan=True)
    assert np.array_equal(encoder.transform(select_features(loans, declare())), expected, equal_nan=True)


@pytest.mark.parametrize("kind", ["random_forest", "hist_gradient_boosting", "logistic_regression"])
def test_a_model_of_some_rows_has_the_bytes_of_a_model_of_a_table_of_them(loans, monkeypatch, kind: str) -> None:
    rows = np.flatnonzero(np.arange(ROWS) % 5)[:-1]  # without the loan of the island
    alone = sha256(fit_pipeline(loans.take(rows), declare(kind), CONFIG, AtOnce()))
    monkeypatch.setattr(encoding, "NUMBERS_AT_ONCE", 100_000)
    assert sha256(fit_pipeline(loans, declare(kind), CONFIG, AtOnce(), rows)) == alone
    assert sha256(fit_pipeline(loans, declare(kind), CONFIG, AtOnce(), rows[1:])) != alone


def test_encoding_takes_little_more_memory_than_the_numbers_that_it_makes(loans, monkeypatch) -> None:
    monkeypatch.setattr(encoding, "NUMBERS_AT_ONCE", 20_000)
    encode(loans, np.arange(100))  # imports
    tracemalloc.start()
    try:
        made = encode(loans, np.arange(ROWS), "float32")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Encoded at once, as a frame and then as numbers of 64 bits, the loans take three times the memory of the result.
    assert peak < 2 * made.nbytes


def test_scores_do_not_depend_on_the_parts_that_loans_are_scored_in(loans, monkeypatch) -> None:
    model, some = fit_pipeline(loans, declare(), CONFIG, AtOnce()), loans.slice(0, 1_001)
    expected = model.predict_proba(select_features(some, declare()))[:, 1]
    monkeypatch.setattr(pipeline, "SCORED_AT_ONCE", 100)
    assert np.array_equal(score_loans(model, some, declare()), expected)
    assert score_loans(model, loans.slice(0, 0), declare()).shape == (0,)
