"""The table of scores: one row for each application, with the newest score that a wave gave it.

Belongs here: its columns, and the one way by which rows get into it. Does not belong here: how scores are computed, and
what is read of them (`newest_scores`).
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from credit_assets.applications.tables import check_applications
from credit_assets.settings.file import Settings
from credit_assets.settings.scoring import Scoring
from credit_assets.tables.kinds import ColumnType, has_text_ids
from credit_assets.tables.written import WrittenTable, create_table, row_schema, upsert_rows
from resources.errors import PlatformError
from resources.services.database import Database

if TYPE_CHECKING:
    import pyarrow as pa
    from psycopg2.extensions import cursor

# The column `application` is of another type if ids of applications are UUIDs or text.
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
WHOLE_IDS = ColumnType("bigint", "bigint")


class ScoresError(PlatformError, ValueError):
    """The table of scores is not one: names it, its columns, what was expected, and what to do."""


def score_schema(*, text_ids: bool = False) -> "pa.Schema":
    """The columns of scores that are to be written, with their types.

    Args:
        text_ids: whether ids of applications are text, as those of a UUID are.
    """
    return row_schema(_type_columns("text" if text_ids else "bigint"))


def prepare_scores(database: Database, scores: Database, settings: Settings) -> None:
    """Looks whether applications can be read and scores be written, and makes the table of scores if it is missing.

    Args:
        database: of the applications.
        scores: of the scores.
        settings: with the section `scoring`.

    Raises:
        LocationsError, ScoresError: a table is not as declared.
        DatabaseError: a database can't be used, or its user lacks a right.
    """
    with database.open_snapshot() as cursor:
        ids = check_applications(cursor, settings)
    with scores.open_transaction() as cursor:
        create_scores_table(cursor, settings.require_scoring(), ids)


def create_scores_table(cursor: "cursor", scoring: Scoring, ids: ColumnType = WHOLE_IDS) -> None:
    """Makes the table if it is missing. A role without the right to create tables may use one that is there.

    Args:
        cursor: of a transaction that may write.
        scoring: which table it is.
        ids: the type of the applications' ids. The column `application` holds them: as `bigint`, `uuid` or `text`.

    Raises:
        ScoresError: there is a table of this name with other columns, or without its key, or for ids of another type.
    """
    column = "uuid" if ids.base == "uuid" else "text" if has_text_ids(ids) else "bigint"
    reason = f"because column {scoring.applications}.{scoring.id} is of type {ids}"
    create_table(cursor, replace(_declare_scores(scoring, column), reasons={"application": reason}))


def upsert_scores(cursor: "cursor", scoring: Scoring, rows: "pa.Table") -> int:
    """Writes scores; an application that has one gets the new one, unless a later wave wrote what is there.

    Args:
        cursor: of a transaction that may write, with the rights that `upsert_rows` needs.
        scoring: which table it is.
        rows: with the columns of `score_schema`; no application is there twice. A UUID is text here.

    Returns:
        How many rows were written. It is less than the number of `rows` if a later wave has scored some of them.
    """
    import pyarrow as pa

    # The column itself may be of type uuid. COPY reads that from a text.
    is_text = pa.types.is_string(rows.schema.field("application").type)
    return upsert_rows(cursor, _declare_scores(scoring, "text" if is_text else "bigint"), rows)


def _type_columns(application: str) -> dict[str, str]:
    return {**SCORE_COLUMNS, "application": application}


def _declare_scores(scoring: Scoring, application: str) -> WrittenTable:
    return WrittenTable(
        name=scoring.scores,
        setting="scoring.scores",
        content="scores",
        columns=_type_columns(application),
        key="application",
        version="wave_began",
        error=ScoresError,
    )
