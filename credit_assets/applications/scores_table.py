"""The table of scores: one row for each application, with the newest score that a wave gave it.

Belongs here: its columns, and the one way by which rows get into it. Does not belong here: how scores are computed.
"""

import io
from typing import TYPE_CHECKING

from credit_assets.settings.scoring import Scoring
from credit_assets.tables.declared import quote_table, read_column_types
from resources.errors import PlatformError

if TYPE_CHECKING:
    import pyarrow as pa
    from psycopg2.extensions import cursor

SCORE_COLUMNS = {
    "location": "text",
    "application": "bigint",
    "probability": "double precision",
    "model_number": "integer",
    "model_sha256": "text",
    "wave": "text",
    "wave_began": "timestamp with time zone",
    "scored_at": "timestamp with time zone",
}
KEY = "application"


class ScoresError(PlatformError, ValueError):
    """The table of scores is not one: names it, its columns, what was expected, and what to do."""


def score_schema() -> "pa.Schema":
    """The columns of scores that are to be written, with their types."""
    import pyarrow as pa

    time = pa.timestamp("us", "UTC")
    types = {"text": pa.string(), "bigint": pa.int64(), "double precision": pa.float64(), "integer": pa.int32()}
    return pa.schema([(name, types.get(kind, time)) for name, kind in SCORE_COLUMNS.items()])


def create_scores_table(cursor: "cursor", scoring: Scoring) -> None:
    """Makes the table if it is missing. A role without the right to create tables may use one that is there.

    Args:
        cursor: of a transaction that may write.
        scoring: which table it is.

    Raises:
        ScoresError: there is a table of this name with other columns, or without its key.
    """
    found = read_column_types(cursor, scoring.scores)
    if not found:
        # Two who create one table at the same moment would meet an error of PostgreSQL's catalog.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('scores'))")
        columns = ", ".join(f'"{name}" {kind} NOT NULL' for name, kind in SCORE_COLUMNS.items())
        # Each wave updates every row. Half of each page is free for that, so that table and index do not grow.
        cursor.execute(
            f'CREATE TABLE IF NOT EXISTS {quote_table(scoring.scores)} ({columns}, PRIMARY KEY ("{KEY}")) '
            "WITH (fillfactor = 50)"
        )
        found = read_column_types(cursor, scoring.scores)
    if found != SCORE_COLUMNS:
        wrong = [
            f"{name} is {found.get(name, 'missing')} (expected {SCORE_COLUMNS.get(name, 'no such column')})"
            for name in sorted({*found, *SCORE_COLUMNS})
            if found.get(name) != SCORE_COLUMNS.get(name)
        ]
        raise ScoresError(
            f"table {scoring.scores} is not a table of scores: {', '.join(wrong)}. Rename it, or name another table in "
            "scoring.scores"
        )
    _refuse_without_key(cursor, scoring)


def upsert_scores(cursor: "cursor", scoring: Scoring, rows: "pa.Table") -> int:
    """Writes scores; an application that has one gets the new one, unless a later wave wrote what is there.

    To write the same rows again changes nothing else, so that a caller may repeat it after any error.

    Args:
        cursor: of a transaction that may write. Its role needs INSERT, UPDATE and SELECT on the table, and TEMPORARY
            on the database.
        scoring: which table it is.
        rows: with the columns of `score_schema`; no application is there twice.

    Returns:
        How many rows were written. It is less than the number of `rows` if a later wave has scored some of them.
    """
    import pyarrow.csv as pv

    body, names = io.BytesIO(), ", ".join(f'"{name}"' for name in SCORE_COLUMNS)
    pv.write_csv(rows.select(list(SCORE_COLUMNS)).cast(score_schema()), body, pv.WriteOptions(include_header=False))
    body.seek(0)
    table = quote_table(scoring.scores)
    cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS scored (LIKE {table}) ON COMMIT DROP")
    cursor.execute("TRUNCATE pg_temp.scored")
    cursor.copy_expert(f"COPY pg_temp.scored ({names}) FROM STDIN (FORMAT csv)", body)
    updated = ", ".join(f'"{name}" = excluded."{name}"' for name in SCORE_COLUMNS if name != KEY)
    # In the order of the key: two who write the same applications wait for each other, and neither is refused.
    cursor.execute(
        f"INSERT INTO {table} AS stored ({names}) SELECT {names} FROM pg_temp.scored "  # noqa: S608 a pattern admits names only
        f'ORDER BY "{KEY}" ON CONFLICT ("{KEY}") DO UPDATE SET {updated} '
        'WHERE stored."wave_began" <= excluded."wave_began"'
    )
    return cursor.rowcount


def _refuse_without_key(cursor: "cursor", scoring: Scoring) -> None:
    cursor.execute(
        "SELECT count(*) FROM pg_index AS i "
        "JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
        "WHERE i.indrelid = to_regclass(%s) AND i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL "
        "AND a.attname = %s",
        (quote_table(scoring.scores), KEY),
    )
    if cursor.fetchone() == (0,):
        raise ScoresError(
            f"table {scoring.scores} has no unique index on its column {KEY}, so that an application could get two "
            f"scores: make {KEY} its primary key"
        )
