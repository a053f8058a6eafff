"""The table of scores: one row for each application, with the newest score that a wave gave it.

Belongs here: its columns, and the one way by which rows get into it. Does not belong here: how scores are computed, and
what is read of them (`newest_scores`).
"""

from typing import TYPE_CHECKING

from credit_assets.settings.scoring import Scoring
from credit_assets.tables.written import WrittenTable, create_table, row_schema, upsert_rows
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


class ScoresError(PlatformError, ValueError):
    """The table of scores is not one: names it, its columns, what was expected, and what to do."""


def score_schema() -> "pa.Schema":
    """The columns of scores that are to be written, with their types."""
    return row_schema(SCORE_COLUMNS)


def create_scores_table(cursor: "cursor", scoring: Scoring) -> None:
    """Makes the table if it is missing. A role without the right to create tables may use one that is there.

    Args:
        cursor: of a transaction that may write.
        scoring: which table it is.

    Raises:
        ScoresError: there is a table of this name with other columns, or without its key.
    """
    create_table(cursor, _declare_scores(scoring))


def upsert_scores(cursor: "cursor", scoring: Scoring, rows: "pa.Table") -> int:
    """Writes scores; an application that has one gets the new one, unless a later wave wrote what is there.

    Args:
        cursor: of a transaction that may write, with the rights that `upsert_rows` needs.
        scoring: which table it is.
        rows: with the columns of `score_schema`; no application is there twice.

    Returns:
        How many rows were written. It is less than the number of `rows` if a later wave has scored some of them.
    """
    return upsert_rows(cursor, _declare_scores(scoring), rows)


def _declare_scores(scoring: Scoring) -> WrittenTable:
    return WrittenTable(
        name=scoring.scores,
        setting="scoring.scores",
        content="scores",
        columns=SCORE_COLUMNS,
        key="application",
        version="wave_began",
        error=ScoresError,
    )
