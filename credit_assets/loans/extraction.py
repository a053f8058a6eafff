"""The extraction: rows of the loans table, streamed in one snapshot into a typed Parquet file.

The content digest is the SHA-256 of the output of `COPY (…) TO STDOUT (FORMAT csv)`. So `psql` and `sha256sum` can
compute it again without any of this code.

Belongs here: the file, and the facts that identify it. Does not belong here: which rows (`table`), how they come out of
PostgreSQL (`credit_assets.tables.rows`), and where the file is stored.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from credit_assets.loans.counting import Limit, count_loans
from credit_assets.loans.table import LoansError, arrow_schema, check_table, select_sql
from credit_assets.loans.times import count_endless
from credit_assets.settings.file import Settings
from credit_assets.tables.kinds import has_text_ids
from credit_assets.tables.rows import open_batches
from credit_assets.tables.rules import count_marks, mark_missing
from resources.store.object_store import StoreError

if TYPE_CHECKING:
    from psycopg2.extensions import cursor


def extract_loans(cursor: "cursor", settings: Settings, as_of: datetime | None, path: Path) -> dict[str, Any]:
    """Streams the rows into a Parquet file, a chunk at a time.

    Args:
        cursor: of a read-only transaction that sees one snapshot.
        as_of: rows that were created later are left out; None for the time of the snapshot.
        path: the file to write.

    Returns:
        The facts that identify the dataset: `table`, `target` (that of the settings), `as_of`, `rows`, `left_out` (how
        many rows were created after `as_of`), `left_out_for_ever` (how many of them at infinity), `greatest_id` (none
        if ids are text), `without_outcome`, `sql`, `schema`, `content_sha256`, and its `census`. If row policies apply,
        `row_policy`, and `read_as`: who saw the rows. If a column may have missing values, `missing`: their number in
        each such column.

    Raises:
        LoansError: the table is not what the settings say, a time can't be stored, or `as_of` is in the future.
        StoreError: the folder of the file is full.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    found = check_table(cursor, settings)
    cursor.execute("SELECT transaction_timestamp()")
    now = cast("tuple[datetime]", cursor.fetchone())[0]
    if as_of and as_of > now:
        raise LoansError(
            f"as_of: {as_of.isoformat()} is still to come (it is {now.isoformat()} in the database): loans that arrive "
            "until then would belong to it. Name an earlier time, or none for everything up to now"
        )
    as_of = (as_of or now).astimezone(UTC)
    endless = count_endless(cursor, settings, found, as_of)
    counted = count_loans(cursor, settings, Limit(as_of), found)
    ids, text_ids = settings.table.id, has_text_ids(found[settings.table.id])
    sql, schema = select_sql(settings, as_of, found), arrow_schema(settings, text_ids=text_ids)
    content, rows, greatest_id, without, too_young = hashlib.sha256(), 0, None, 0, 0
    mature = settings.target.find_newest_mature(as_of)
    missing = dict.fromkeys(settings.columns_with_missing, 0)
    try:
        with (
            open_batches(cursor, sql, schema, LoansError, content) as batches,
            pq.ParquetWriter(path, schema, compression="zstd") as writer,
        ):
            for batch in batches:
                writer.write_batch(batch)
                rows += batch.num_rows
                for name in missing:
                    missing[name] += count_marks(mark_missing(batch.column(name)))
                greatest_id = None if text_ids else pc.max(batch.column(ids)).as_py()
                without += batch.column(settings.target.column).null_count
                if mature:
                    too_young += pc.sum(pc.greater(batch.column(settings.table.created_at), mature)).as_py() or 0
    except OSError as error:
        raise StoreError(
            f"the dataset can't be written to {path.parent}, on its way to the store: {error.strerror or error}. "
            "Free space there, or name another folder in TMPDIR"
        ) from None
    return {
        "table": settings.table.name,
        "target": settings.target.to_facts(),
        "as_of": as_of.isoformat(),
        "rows": rows,
        "left_out": counted.arrived + counted.future,
        "left_out_for_ever": endless,
        "greatest_id": greatest_id,
        "without_outcome": {"too young": too_young, "NULL": without - too_young},
        "sql": sql,
        "schema": {field.name: str(field.type) for field in schema},
        "content_sha256": content.hexdigest(),
        "census": counted.census.to_facts(),
        **_describe_policy(cursor, settings),
        **({"missing": missing} if missing else {}),
    }


def read_without_outcome(facts: Mapping[str, Any]) -> dict[str, int]:
    """How many loans of a dataset have no outcome, by the reason: `too young`, or `NULL`.

    Args:
        facts: of its manifest. A retry may adopt one of release 0.2, which refused such loans and recorded no number.
    """
    return facts.get("without_outcome", {"too young": 0, "NULL": 0})


def _describe_policy(cursor: "cursor", settings: Settings) -> dict[str, str]:
    """Who saw the rows, if policies may have hidden others."""
    if settings.table.row_policy == "refuse":
        return {}
    cursor.execute("SELECT current_user")
    return {"row_policy": "apply", "read_as": cast("tuple[str]", cursor.fetchone())[0]}


def parse_as_of(text: str | None) -> datetime | None:
    """Reads ISO 8601; without an offset it is UTC. Raises ValueError, naming `as_of`, for anything else."""
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"as_of: {text!r} is not a time; expected ISO 8601, such as 2026-01-31T00:00:00Z") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
