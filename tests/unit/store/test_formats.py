"""A file that is read as another table than was written makes a reader take the rows or columns of something else."""

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from resources.store.formats import FORMATS


def encode(keys: list[str]) -> tuple[bytes, pa.Table]:
    table = pa.table({"key": pa.array(keys, pa.string()), "number": pa.array(range(len(keys)), pa.int64())})
    (content,) = FORMATS["parquet_groups"].encode(table, "scores").values()
    assert isinstance(content, bytes)
    return content, table


@pytest.mark.parametrize(
    ("keys", "groups"),
    [(["a", "a", "b", "c", "c", "c"], [2, 1, 3]), (["a"], [1]), (["a", "b"], [1, 1]), ([], [])],
)
def test_each_key_has_a_row_group_of_its_own(keys: list[str], groups: list[int]) -> None:
    content, table = encode(keys)
    file: Any = pq.ParquetFile(io.BytesIO(content))
    counts = [file.metadata.row_group(number).num_rows for number in range(file.metadata.num_row_groups)]
    assert [count for count in counts if count] == groups
    for number in range(len(groups)):
        assert len(set(file.read_row_group(number).column("key").to_pylist())) == 1
    assert FORMATS["parquet_groups"].decode({"scores.parquet": content}).equals(table)


def test_the_same_table_has_the_same_bytes() -> None:
    assert encode(["a", "b"])[0] == encode(["a", "b"])[0]
    assert encode(["a", "b"])[0] != encode(["a", "a"])[0]


def test_a_table_of_many_row_groups_and_of_names_with_dots_is_read_as_it_was_written(tmp_path: Path) -> None:
    table = pa.table({"a.b": ["x", None, "y", "x"], "a": [1, 2, 3, None]})
    pq.write_table(table, tmp_path / "loans.parquet", row_group_size=1)
    read = FORMATS["parquet"].decode({"loans.parquet": (tmp_path / "loans.parquet").read_bytes()})
    assert read.equals(table)
    assert [column.num_chunks for column in read.columns] == [1, 1], "many small pieces take twice the memory"
