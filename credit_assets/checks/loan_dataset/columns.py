"""The columns of a dataset, one at a time: a file is opened once, whatever number of columns and checks there is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class StoredColumns:
    """What can be read of a dataset.

    Attributes:
        schema: its columns with their types.
        rows: how many there are.
        read: reads one column by its name. Nothing holds it but the caller.
    """

    schema: "pa.Schema"
    rows: int
    read: Callable[[str], "pa.ChunkedArray"]


@contextmanager
def open_columns(stored: "Path | pa.Table") -> Iterator[StoredColumns]:
    """Opens a Parquet file, or takes a table that is in memory already."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not isinstance(stored, Path):
        yield StoredColumns(stored.schema, stored.num_rows, stored.column)
        return
    with pq.ParquetFile(stored) as file:

        def read(name: str) -> "pa.ChunkedArray":
            # What the extraction and the column before have left is given back first.
            pa.default_memory_pool().release_unused()
            # In one piece, which NumPy reads without a copy. More threads would keep more memory, and save no time.
            return file.read(columns=[name], use_threads=False).column(0)

        yield StoredColumns(file.schema_arrow, file.metadata.num_rows, read)
