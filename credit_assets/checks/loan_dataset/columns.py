"""The columns of a dataset, a few at a time: a file is opened once, whatever number of columns and checks there is."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

# Each reading has a price for each row group, so that narrow pieces of a wide table are dear.
VALUES_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class StoredColumns:
    """What can be read of a dataset.

    Attributes:
        schema: its columns with their types.
        rows: how many there are.
        read: reads the columns of these names, in their order: one at a time, or as many as have a million values.
            What was taken is held by nobody but the caller.
    """

    schema: "pa.Schema"
    rows: int
    read: Callable[[Sequence[str]], Iterator[tuple[str, "pa.ChunkedArray"]]]


@contextmanager
def open_columns(stored: "Path | pa.Table") -> Iterator[StoredColumns]:
    """Opens a Parquet file, or takes a table that is in memory already."""
    import pyarrow.parquet as pq

    if not isinstance(stored, Path):
        yield StoredColumns(
            stored.schema, stored.num_rows, lambda names: ((each, stored.column(each)) for each in names)
        )
        return
    with pq.ParquetFile(stored) as file:
        yield StoredColumns(file.schema_arrow, file.metadata.num_rows, lambda names: _read(file, names))


def _read(file: "pq.ParquetFile", names: Sequence[str]) -> Iterator[tuple[str, "pa.ChunkedArray"]]:
    import pyarrow as pa

    at_once = max(VALUES_AT_ONCE // max(file.metadata.num_rows, 1), 1)
    # What the extraction has left, and then each column, is given back before more is needed.
    pa.default_memory_pool().release_unused()
    for start in range(0, len(names), at_once):
        # More threads would keep more memory, and save no time. In one piece, NumPy reads a column without a copy.
        table = file.read(columns=list(names[start : start + at_once]), use_threads=False).combine_chunks()
        columns = {name: table.column(name) for name in names[start : start + at_once]}
        del table
        while columns:
            name = next(iter(columns))
            yield name, columns.pop(name)
        pa.default_memory_pool().release_unused()
