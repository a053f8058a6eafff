"""The newest scores of every location, summed up by one statement.

The scores and the locations may be in two databases, so that no statement reads both.

Belongs here: what is read of the table of scores. Does not belong here: how scores get into it (`scores_table`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from credit_assets.applications.scores_table import ScoresError
from credit_assets.settings.scoring import Scoring
from credit_assets.tables.declared import DeclaredTable, check_columns, read_column_types

if TYPE_CHECKING:
    from psycopg2.extensions import cursor

READ = {"location": "name", "probability": "number", "wave_began": "time", "scored_at": "time"}


@dataclass(frozen=True)
class LocationSum:
    """The scores that the last wave gave to a location's applications.

    Attributes:
        location: its name.
        scores: how many there are, at least 1.
        total: the sum of the probabilities of a default.
        unusable: how many of them are no probability.
        oldest: when the first of them was written, with a time zone.
    """

    location: str
    scores: int
    total: float
    unusable: int
    oldest: datetime


def sum_newest_scores(cursor: "cursor", scoring: Scoring) -> tuple[list[LocationSum], datetime]:
    """Sums up the scores of each location's last wave. Scores of applications that it did not score don't count.

    An application that was decided on keeps the score that it had. A wave scores every open application of a location,
    so that the scores of its last wave are those of what was open then.

    Args:
        cursor: of a transaction that may read the table.
        scoring: which table it is.

    Returns:
        A sum for each location with a score, in no order, and the time of the database at which they were read.

    Raises:
        ScoresError: there is no such table, or it has other columns.
    """
    if not read_column_types(cursor, scoring.scores):
        raise ScoresError(
            f"table {scoring.scores} is not in the database: no wave has written scores. Run one, or correct "
            "scoring.scores in the settings"
        )
    table = DeclaredTable(scoring.scores, "scoring.scores", READ, ScoresError)
    check_columns(cursor, table)
    cursor.execute(
        "WITH last AS (SELECT location, max(wave_began) AS wave_began "  # noqa: S608 all names are quoted
        f"FROM {table.sql} GROUP BY location) "
        "SELECT location, count(*), sum(probability), count(*) FILTER (WHERE NOT probability BETWEEN 0 AND 1), "
        f"min(scored_at) FROM {table.sql} JOIN last USING (location, wave_began) GROUP BY location"
    )
    sums = [LocationSum(*row) for row in cursor.fetchall()]
    cursor.execute("SELECT now()")
    ((now,),) = cursor.fetchall()
    return sums, now
