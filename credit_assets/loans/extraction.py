"""The extraction: rows of the loans table, streamed in one snapshot into a typed Parquet file.

The content digest is the SHA-256 of the output of `COPY (…) TO STDOUT (FORMAT csv)`. So `psql` and `sha256sum` can
compute it again without any of this code.

Belongs here: how rows come from PostgreSQL into a file. Does not belong here: which rows (`table`), and where the file
is stored.
"""

import hashlib
import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from credit_assets.loans.table import LoansError, arrow_schema, check_table, select_sql
from credit_assets.settings.file import Settings
from resources.error_texts import find_csv_column
from resources.store.object_store import StoreError

if TYPE_CHECKING:
    import pyarrow as pa
    from psycopg2.extensions import cursor

CHUNK_BYTES = 1 << 20


def extract_loans(cursor: "cursor", settings: Settings, as_of: datetime | None, path: Path) -> dict[str, Any]:
    """Streams the rows into a Parquet file, a chunk at a time.

    Args:
        cursor: of a read-only transaction that sees one snapshot.
        as_of: rows that were created later are left out; None for the time of the snapshot.
        path: the file to write.

    Returns:
        The facts that identify the dataset: `table`, `as_of`, `rows`, `greatest_id`, `sql`, `schema`, `content_sha256`.

    Raises:
        LoansError: the table is not what the settings say, or `as_of` is in the future.
        StoreError: the folder of the file is full.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    check_table(cursor, settings)
    cursor.execute("SELECT transaction_timestamp()")
    now = cast("tuple[datetime]", cursor.fetchone())[0]
    if as_of and as_of > now:
        raise LoansError(
            f"as_of: {as_of.isoformat()} is still to come (it is {now.isoformat()} in the database): loans that arrive "
            "until then would belong to it. Name an earlier time, or none for everything up to now"
        )
    as_of = (as_of or now).astimezone(UTC)
    sql, schema, ids = select_sql(settings, as_of), arrow_schema(settings), settings.table.id
    content, rows, greatest_id = hashlib.sha256(), 0, None
    try:
        with _open_csv(cursor, sql) as stream, pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for batch in _read_batches(stream, schema, content):
                writer.write_batch(batch)
                rows += batch.num_rows
                greatest_id = pc.max(batch.column(ids)).as_py()
    except OSError as error:
        raise StoreError(
            f"the dataset can't be written to {path.parent}, on its way to the store: {error.strerror or error}. "
            "Free space there, or name another folder in TMPDIR"
        ) from None
    return {
        "table": settings.table.name,
        "as_of": as_of.isoformat(),
        "rows": rows,
        "greatest_id": greatest_id,
        "sql": sql,
        "schema": {field.name: str(field.type) for field in schema},
        "content_sha256": content.hexdigest(),
    }


def parse_as_of(text: str | None) -> datetime | None:
    """Reads ISO 8601; without an offset it is UTC. Raises ValueError, naming `as_of`, for anything else."""
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"as_of: {text!r} is not a time; expected ISO 8601, such as 2026-01-31T00:00:00Z") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


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


def _read_batches(stream: BinaryIO, schema: "pa.Schema", content: "hashlib._Hash") -> Iterator["pa.RecordBatch"]:
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
            _Hashing(stream, content),
            read_options=pv.ReadOptions(column_names=list(csv_types), block_size=CHUNK_BYTES),
            parse_options=pv.ParseOptions(newlines_in_values=True),
            convert_options=pv.ConvertOptions(
                column_types=csv_types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
            ),
        )
        for batch in reader:
            columns = [column.view(field.type) for column, field in zip(batch.columns, schema, strict=True)]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)
    except pa.ArrowInvalid as error:
        # The rest of the message has the value, which nobody may see.
        number = find_csv_column(str(error))
        field = None if number is None else schema.field(number)
        problem = f"a value of column {field.name} can't be read as {field.type}" if field else "a row can't be read"
        raise LoansError(f"{problem}; it is not shown here. Correct it in the table, or the settings") from None


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
