"""A check that opens the file anew for each column made the audit of 400 columns 370 times as long as that of six."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from credit_assets.checks.loan_dataset import columns as columns_module
from credit_assets.checks.loan_dataset.columns import open_columns
from credit_assets.checks.loan_dataset.leakage import compute_auc_alone
from credit_assets.checks.loan_dataset.verdicts import check_dataset
from credit_assets.loans.table import arrow_schema
from credit_assets.settings.file import Settings
from credit_assets.tables.rules import count_repeated

ROWS = 600
KINDS = ("number", "integer", "category")


def declare(features: int) -> Settings:
    """Settings with so many features, of each type in turn, and one personal attribute."""
    return Settings.model_validate(
        {
            "table": {"name": "loans"},
            "target": {"column": "default_status"},
            "features": {f"feature_{number}": {"type": KINDS[number % 3]} for number in range(features)},
            "personal": {"age": {"type": "integer", "minimum": 18}},
        }
    )


def write_loans(path: Path, settings: Settings) -> Path:
    """Loans in three row groups, as an extraction writes them."""
    rng, values = np.random.default_rng(3), dict[str, Any]()
    for field in arrow_schema(settings):
        kind = settings.columns[field.name].type if field.name in settings.columns else "integer"
        drawn = rng.choice(["car", "house", "other"], ROWS) if kind == "category" else rng.integers(18, 90, ROWS)
        values[field.name] = pa.array(drawn.tolist()).cast(field.type) if field.name != "created_at" else None
    values["id"] = list(range(ROWS))
    values["created_at"] = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=row) for row in range(ROWS)]
    values["default_status"] = rng.integers(0, 2, ROWS)
    pq.write_table(pa.table(values, schema=arrow_schema(settings)), path, row_group_size=ROWS // 3)
    return path


@pytest.mark.parametrize("features", [3, 60])
def test_the_file_is_opened_once_and_each_column_is_read_once(tmp_path: Path, monkeypatch, features: int) -> None:
    settings = declare(features)
    path, opened, read = write_loans(tmp_path / "loans.parquet", settings), list[Path](), Counter[str]()
    open_file, read_columns = pq.ParquetFile.__init__, pq.ParquetFile.read

    def count_opening(file: pq.ParquetFile, source: Path, *arguments: Any, **keywords: Any) -> None:
        opened.append(source)
        open_file(file, source, *arguments, **keywords)

    def count_reading(file: pq.ParquetFile, columns: list[str], **keywords: Any) -> pa.Table:
        read.update(columns)
        return read_columns(file, columns, **keywords)

    def refuse(*_: Any, **__: Any) -> None:
        pytest.fail("a check opens the file by itself")

    monkeypatch.setattr(pq.ParquetFile, "__init__", count_opening)
    monkeypatch.setattr(pq.ParquetFile, "read", count_reading)
    monkeypatch.setattr(pq, "read_table", refuse)
    assert all(each.passed for each in check_dataset(path, settings))
    assert opened == [path]
    assert read == Counter(arrow_schema(settings).names)


@pytest.mark.parametrize(("values", "at_once"), [(1, 1), (ROWS - 1, 1), (2 * ROWS, 2), (1_000_000, 8)])
def test_so_many_columns_are_read_at_once_as_have_a_million_values(
    tmp_path: Path, monkeypatch, values: int, at_once: int
) -> None:
    settings = declare(4)
    path, sizes, read_columns = write_loans(tmp_path / "loans.parquet", settings), list[int](), pq.ParquetFile.read

    def note_size(file: pq.ParquetFile, columns: list[str], **keywords: Any) -> pa.Table:
        sizes.append(len(columns))
        return read_columns(file, columns, **keywords)

    monkeypatch.setattr(pq.ParquetFile, "read", note_size)
    monkeypatch.setattr(columns_module, "VALUES_AT_ONCE", values)
    names = arrow_schema(settings).names
    with open_columns(path) as columns:
        found = dict(columns.read(names))
    assert max(sizes) == at_once
    assert sum(sizes) == len(names) == 8
    assert pa.table(found).cast(arrow_schema(settings)).equals(pq.read_table(path))


def test_a_column_is_not_taken_for_another_one_whose_name_begins_like_it(tmp_path: Path) -> None:
    table = pa.table({"a.b": [1], "a": [2], "a.b.c": [3]})
    pq.write_table(table, tmp_path / "dots.parquet")
    with open_columns(tmp_path / "dots.parquet") as columns:
        assert {name: values.to_pylist() for name, values in columns.read(["a", "a.b", "a.b.c"])} == {
            "a": [2],
            "a.b": [1],
            "a.b.c": [3],
        }


def test_a_dataset_of_other_columns_is_refused_before_one_is_read(tmp_path: Path, monkeypatch) -> None:
    path = write_loans(tmp_path / "loans.parquet", declare(3))
    monkeypatch.setattr(pq.ParquetFile, "read", lambda *_, **__: pytest.fail("a column was read"))
    (verdict,) = check_dataset(path, declare(4))
    assert verdict.message == "columns that differ from the declared ones: feature_3"


@pytest.mark.parametrize("levels", [1, 3, 40, ROWS])
def test_a_category_has_the_auc_of_its_default_shares_on_the_other_half_of_the_rows(levels: int) -> None:
    rng = np.random.default_rng(levels)
    outcome, texts = rng.random(ROWS) < 0.3, pd.Series([f"level {level}" for level in rng.integers(0, levels, ROWS)])
    half = np.random.default_rng(0).random(ROWS) < 0.5
    shares = pd.Series(outcome[half]).groupby(texts[half].to_numpy()).mean()
    expected = roc_auc_score(outcome[~half], texts[~half].map(shares).fillna(outcome.mean()))
    chunks = pa.chunked_array([texts[:100].to_list(), texts[100:].to_list()], pa.string())
    assert compute_auc_alone(chunks, outcome) == pytest.approx(max(expected, 1 - expected), abs=1e-12)


@pytest.mark.parametrize("values", [2, 50, ROWS])
@pytest.mark.parametrize("kind", ["int64", "float64"])
def test_a_number_has_the_auc_that_scikit_learn_computes_and_ties_count_half(values: int, kind: str) -> None:
    rng = np.random.default_rng(values)
    outcome = rng.random(ROWS) < 0.2
    numbers = (rng.integers(0, values, ROWS) - (1 + values // 2) * outcome).astype(kind)
    expected = roc_auc_score(outcome, numbers)
    assert expected < 0.5, "the numbers point the other way"
    assert compute_auc_alone(pa.chunked_array([numbers[:7], numbers[7:]]), outcome) == pytest.approx(
        1 - expected, abs=1e-12
    )
    assert compute_auc_alone(pa.chunked_array([numbers]), np.zeros(ROWS, bool)) == 0.5


def test_ids_that_repeat_are_counted_whether_or_not_they_rise() -> None:
    for ids, repeated in (([], 0), ([7], 0), ([1, 2, 3], 0), ([3, 1, 2], 0), ([1, 1, 2], 1), ([2, 1, 2, 1], 2)):
        assert count_repeated(pa.chunked_array([ids[:1], ids[1:]], pa.int64())) == repeated, ids
    assert count_repeated(pa.chunked_array([["a", "B", "a"]])) == 1
