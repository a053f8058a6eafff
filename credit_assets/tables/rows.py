"""Rows of a table as typed batches: COPY prints them as CSV into a pipe, and Arrow reads the other end.

Belongs here: how rows come out of PostgreSQL. Does not belong here: which rows, and where they are stored.
"""

import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, cast

from resources.error_texts import find_csv_column
from resources.errors import PlatformError

if TYPE_CHECKING:
    import hashlib

    import pyarrow as pa
    from psycopg2.extensions import cursor

CHUNK_BYTES = 1 << 20


@contextmanager
def open_batches(
    cursor: "cursor",
    sql: str,
    schema: "pa.Schema",
    error: type[PlatformError],
    content: "hashlib._Hash | None" = None,
) -> Iterator[Iterator["pa.RecordBatch"]]:
    """Opens the rows that a statement selects, of which it holds a few megabytes at a time.

    Args:
        cursor: of a connection in UTF-8.
        sql: a statement without parameters. It prints times in UTC without an offset.
        schema: the columns of the statement, in its order, with the types that they are read as.
        error: what is raised if a value can't be read as its type.
        content: a digest that every byte of the CSV is added to.

    Raises:
        PlatformError: the class of `error`; it names the column, and never shows the value.
    """
    with _open_csv(cursor, sql) as stream:
        yield _read_batches(stream, schema, error, content)


@contextmanager
def _open_csv(cursor: "cursor", sql: str) -> Iterator[BinaryIO]:
    """The rows as CSV, through a pipe: a thread fills it, the caller reads it, and each holds at most one chunk."""
    read_end, write_end = os.pipe()

    def copy() -> None:
        with os.fdopen(write_end, "wb", buffering=CHUNK_BYTES) as sink:
            cursor.copy_expert(f"COPY ({sql}) TO STDOUT (FORMAT csv)", sink)

    with ThreadPoolExecutor(1) as pool:
        copying = pool.submit(copy)
        with os.fdopen(read_end, "rb", buffering=CHUNK_BYTES) as source:
            yield source
        copying.result()


def _read_batches(
    stream: BinaryIO, schema: "pa.Schema", error: type[PlatformError], content: "hashlib._Hash | None"
) -> Iterator["pa.RecordBatch"]:
    import pyarrow as pa
    import pyarrow.csv as pv

    if not cast("io.BufferedReader", stream).peek(1):
        return
    # The statement prints times in UTC without an offset, so Arrow reads them without a time zone.
    csv_types = {
        field.name: pa.timestamp("us") if pa.types.is_timestamp(field.type) else field.type for field in schema
    }
    try:
        reader = pv.open_csv(
            stream if content is None else _Hashing(stream, content),
            read_options=pv.ReadOptions(column_names=list(csv_types), block_size=CHUNK_BYTES),
            parse_options=pv.ParseOptions(newlines_in_values=True),
            convert_options=pv.ConvertOptions(
                column_types=csv_types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
            ),
        )
        for batch in reader:
            columns = [column.view(field.type) for column, field in zip(batch.columns, schema, strict=True)]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)
    except pa.ArrowInvalid as refused:
        # The rest of the message has the value, which nobody may see.
        number = find_csv_column(str(refused))
        field = None if number is None else schema.field(number)
        problem = f"a value of column {field.name} is no {_name(field.type)}" if field else "a row can't be read"
        raise error(f"{problem}; it is not shown here. Correct it in the table, or the settings") from None


def _name(kind: "pa.DataType") -> str:
    """What people call it; settings know no `int64`."""
    import pyarrow.types as pt

    if pt.is_integer(kind):
        return "whole number"
    return "number" if pt.is_floating(kind) else "time" if pt.is_timestamp(kind) else str(kind)


class _Hashing(io.BufferedIOBase):
    """A stream that adds every byte that is read from it to a digest."""

    def __init__(self, stream: BinaryIO, content: "hashlib._Hash") -> None:
        self._stream, self._content = stream, content

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        data = self._stream.read(-1 if size is None else size)
        self._content.update(data)
        return data
