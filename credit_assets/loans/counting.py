"""The statement that counts a table's loans: one read, which takes the census and counts what came later.

PostgreSQL spreads rows over partitions by its hashes. The same hashes spread the loans over buckets, and are added up
for what the loans hold. A SHA-256 is much slower. pg_upgrade needs these hashes to stay as they are. If one changes all
the same, every bucket differs. Then the sensor asks for one refresh that nobody needs, and no loan is forgotten.

Belongs here: SQL that counts loans. Does not belong here: what a census means (`census`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

from credit_assets.loans.census import BUCKETS, GROUP_SIZE, SUM_MODULUS, Census
from credit_assets.loans.table import columns_sql, is_later_sql, needed_types, read_created_at, table_sql
from credit_assets.settings.file import Settings
from credit_assets.settings.names import quote_name
from credit_assets.tables.expressions import select_time, select_value
from credit_assets.tables.kinds import ColumnType, has_text_ids, make_plain_types
from resources.store.written_once import compute_sha256

if TYPE_CHECKING:
    from psycopg2.extensions import cursor

# What PostgreSQL calls the time before every other: without a dataset, all loans are later than it.
BEFORE_ALL = "-infinity"
FIRST_WITH_HASHES_OF_RECORDS = 14
_ARRIVED, _FUTURE = -1, -2


@dataclass(frozen=True)
class Limit:
    """Up to where the loans of a dataset can reach. What is beyond is certainly not in it.

    Attributes:
        as_of: the time of the dataset; None if there is none, so that every loan is beyond.
        greatest_id: the greatest id in the dataset; None if its ids are no integers.
    """

    as_of: datetime | None = None
    greatest_id: int | None = None


@dataclass(frozen=True)
class Counted:
    """The loans of a table, apart by whether a dataset can hold them.

    Attributes:
        census: of the loans within the limit.
        arrived: how many are beyond the limit, and were created until now.
        future: how many are beyond the limit, and are to be created later than now, by the clock of PostgreSQL.
    """

    census: Census
    arrived: int
    future: int


def count_loans(
    cursor: "cursor",
    settings: Settings,
    limit: Limit,
    types: Mapping[str, ColumnType] | None = None,
    *,
    with_contents: bool = True,
) -> Counted:
    """Reads the whole table once, in the snapshot of the cursor, whose times are in UTC.

    Args:
        cursor: of a connection that may read the table.
        settings: the table and its columns.
        limit: of the dataset that the table is compared with.
        types: the type of each column of the table; None for a table whose types are plain.
        with_contents: whether every column is read. If not, the census knows no changes.
    """
    types = types or make_plain_types(needed_types(settings))
    version = cursor.connection.server_version // 10_000
    key, contents, of_contents = _key_sql(settings, types, version), "NULL::int", ""
    if with_contents and version >= FIRST_WITH_HASHES_OF_RECORDS:
        contents = f"(hash_record_extended(row({columns_sql(settings, limit.as_of, types)}), 0) & {2**31 - 1})::int"
        of_contents = _fingerprint(f"{contents} of PostgreSQL {version}")
    is_beyond = is_later_sql(settings, limit.as_of.isoformat() if limit.as_of else BEFORE_ALL, types)
    if limit.greatest_id is not None and not has_text_ids(types[settings.table.id]):
        is_beyond += f" OR {quote_name(settings.table.id)} > {limit.greatest_id}"
    cursor.execute(
        "SELECT bucket, count(*), sum(contents) FROM (SELECT "  # noqa: S608 all names are quoted
        f"CASE WHEN ({is_beyond}) IS NOT TRUE THEN ({key} & {BUCKETS - 1})::int "
        f"WHEN {is_later_sql(settings, 'now', types)} THEN {_FUTURE} ELSE {_ARRIVED} END AS bucket, "
        f"CASE WHEN ({is_beyond}) IS NOT TRUE THEN {contents} END AS contents "
        f"FROM {table_sql(settings)}) AS loans GROUP BY bucket"
    )
    found = {bucket: (count, total) for bucket, count, total in cast("list[tuple[int, int, int | None]]", cursor)}
    counts = tuple(found.get(bucket, (0, 0))[0] for bucket in range(BUCKETS))
    sums = tuple(
        sum(found.get(bucket, (0, 0))[1] or 0 for bucket in range(start, start + GROUP_SIZE)) % SUM_MODULUS
        for start in range(0, BUCKETS, GROUP_SIZE)
    )
    return Counted(
        Census(_fingerprint(key), of_contents, counts, sums),
        arrived=found.get(_ARRIVED, (0, None))[0],
        future=found.get(_FUTURE, (0, None))[0],
    )


def _key_sql(settings: Settings, found: Mapping[str, ColumnType], version: int) -> str:
    """A hash of what a loan is known by: its id and its time, because ids may start again."""
    row_id = select_value(settings.table.id, "id", found[settings.table.id])
    created_at = select_time(read_created_at(settings, found))
    if version >= FIRST_WITH_HASHES_OF_RECORDS:
        return f"hash_record_extended(row({row_id}, {created_at}), 0)"
    return f"hashtextextended(coalesce({row_id}::text, '') || ' ' || coalesce({created_at}::text, ''), 0)"


def _fingerprint(expression: str) -> str:
    return compute_sha256(expression.encode())[:12]
