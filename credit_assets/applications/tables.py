"""The tables of locations and applications: what is expected of their columns, which names there are, how much is open.

Belongs here: names and counts. Does not belong here: the rows of applications (`reading`), and the scores.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from credit_assets.settings.columns import Column
from credit_assets.settings.file import Settings
from credit_assets.settings.names import quote_name
from credit_assets.settings.scoring import Scoring
from credit_assets.tables.declared import (
    DeclaredTable,
    check_columns,
    check_time_zone,
    explain_other_times,
    has_unique_index,
)
from credit_assets.tables.kinds import ColumnType
from credit_assets.tables.rules import count_of
from resources.errors import PlatformError

if TYPE_CHECKING:
    from psycopg2.extensions import cursor

# Dagster's storage has the name of a partition in an index of PostgreSQL, whose entries have at most 2,704 bytes.
LONGEST_NAME = 600


class LocationsError(PlatformError, ValueError):
    """The table of locations or of applications is not what the settings say: names it, and what was expected."""


def declare_locations(scoring: Scoring) -> DeclaredTable:
    """The table of locations, as the settings declare it."""
    columns = {scoring.location: "name"}
    return DeclaredTable(scoring.locations, "scoring.locations", columns, LocationsError)


def select_table_features(settings: Settings) -> dict[str, Column]:
    """The features that the table of applications has: all of those that no service answers.

    Raises:
        SettingsError: the settings have no section `scoring`.
    """
    answered = settings.require_scoring().answered_columns
    return {name: column for name, column in settings.features.items() if name not in answered}


def declare_applications(scoring: Scoring, features: Mapping[str, Column] | None = None) -> DeclaredTable:
    """The table of applications, as the settings declare it.

    Args:
        scoring: which table it is.
        features: those that are read; none if applications are only counted.
    """
    features = features or {}
    before = explain_other_times(features)
    columns = {scoring.location: "name", scoring.id: "id"}
    if scoring.decided_at:
        columns[scoring.decided_at] = "time"
    columns |= dict.fromkeys(before, "time")
    columns |= {name: column.type for name, column in features.items()}
    return DeclaredTable(
        scoring.applications,
        "scoring.applications",
        columns,
        LocationsError,
        reasons={name: f"because it is the key {key} in [scoring]" for key, name in scoring.own_keys.items()}
        | dict.fromkeys(features, "because it is a feature of the loans")
        | before,
        shared={*features, *before},
    )


def check_applications(cursor: "cursor", settings: Settings) -> ColumnType:
    """The type of the applications' ids. A wave asks once, before it reads: the answer on the time zone is slow.

    All columns that a wave reads are looked at here, so that a wrong table is one error, and not one for each location.

    Args:
        cursor: of a connection that may read the table.
        settings: with the section `scoring`.

    Raises:
        LocationsError: the table is not as declared, or PostgreSQL does not know the time zone.
    """
    scoring = settings.require_scoring()
    check_time_zone(cursor, settings.table.time_zone, LocationsError)
    return check_columns(cursor, declare_applications(scoring, select_table_features(settings)))[scoring.id]


def open_only(scoring: Scoring) -> str:
    """The condition of a statement that leaves decided applications out."""
    return f"{quote_name(scoring.decided_at)} IS NULL" if scoring.decided_at else "TRUE"


def count_locations(cursor: "cursor", scoring: Scoring) -> dict[str, int]:
    """How many rows each location has, in the order of their characters' numbers. One row each is expected.

    Raises:
        LocationsError: the table is not as declared, or has rows whose name can't be one.
    """
    check_columns(cursor, declare_locations(scoring))
    table = declare_locations(scoring).sql
    cursor.execute(f"SELECT {quote_name(scoring.location)}, count(*) FROM {table} GROUP BY 1")  # noqa: S608 all names are quoted
    rows = dict(cursor.fetchall())
    _refuse_names(rows, scoring)
    return dict(sorted(rows.items()))


def read_locations(cursor: "cursor", scoring: Scoring) -> list[str]:
    """The names of the locations, each once, in the order of their characters' numbers; raises as `count_locations`."""
    return list(count_locations(cursor, scoring))


def read_segments(cursor: "cursor", scoring: Scoring, segment: str) -> dict[str, str | None]:
    """The segment of each location; None if it has none, several, or one whose name can't be one.

    Args:
        cursor: of a connection that may read the table of locations.
        scoring: which table it is.
        segment: the column that names the segment.

    Raises:
        LocationsError: the table is not as declared.
    """
    names = {scoring.location: "name", segment: "name"}
    table = DeclaredTable(scoring.locations, "scoring.locations", names, LocationsError)
    check_columns(cursor, table)
    location, name = quote_name(scoring.location), quote_name(segment)
    cursor.execute(
        f"SELECT {location}, min({name}), count(DISTINCT {name}) = 1 "  # noqa: S608 as above
        f"AND bool_and(btrim({name}) <> '' AND length({name}) <= {LONGEST_NAME}) FROM {table.sql} "
        f"WHERE {location} IS NOT NULL GROUP BY 1"
    )
    return {location: name if is_one else None for location, name, is_one in cursor.fetchall()}


def _refuse_names(rows: dict[str | None, int], scoring: Scoring) -> None:
    """Raises LocationsError if a name can't be one, with the number of its rows."""
    found = {
        "NULL": sum(count for name, count in rows.items() if name is None),
        "empty": sum(count for name, count in rows.items() if name is not None and not name.strip()),
        f"longer than {LONGEST_NAME} characters": sum(
            count for name, count in rows.items() if name and len(name) > LONGEST_NAME
        ),
    }
    wrong = [f"{what} in {count_of(count, 'row')}" for what, count in found.items() if count]
    if wrong:
        raise LocationsError(
            f"column {scoring.locations}.{scoring.location} is {', '.join(wrong)}; expected a name of 1 to "
            f"{LONGEST_NAME} characters in each row. Nothing was scored. Correct these rows, or name a view without "
            "them in scoring.locations"
        )


def count_applications(cursor: "cursor", scoring: Scoring) -> dict[str, int]:
    """How many applications are open in each location that has any, whether or not the other table knows it.

    Applications without a location count under the empty name, which no location has.

    Raises:
        LocationsError: the table is not as declared.
    """
    table = declare_applications(scoring)
    check_columns(cursor, table)
    cursor.execute(
        f"SELECT coalesce({quote_name(scoring.location)}, ''), count(*) FROM {table.sql} "  # noqa: S608 as above
        f"WHERE {open_only(scoring)} GROUP BY 1"
    )
    return dict(cursor.fetchall())


def count_repeated_ids(cursor: "cursor", scoring: Scoring) -> dict[str, int]:
    """How many open applications of each location have an id that another one has, in any location.

    An application has one score, so of two with one id one would lose its own. A unique index is believed, and no row
    is read then.

    Returns:
        Only locations with any. Applications without a location count under the empty name.

    Raises:
        LocationsError: the table is not as declared.
    """
    table = declare_applications(scoring)
    check_columns(cursor, table)
    if has_unique_index(cursor, scoring.applications, scoring.id):
        return {}
    row_id = quote_name(scoring.id)
    cursor.execute(
        f"SELECT location, count(*) FROM (SELECT coalesce({quote_name(scoring.location)}, '') AS location, "  # noqa: S608 as above
        f"count(*) OVER (PARTITION BY {row_id}) AS times FROM {table.sql} "
        f"WHERE {open_only(scoring)} AND {row_id} IS NOT NULL) AS open WHERE times > 1 GROUP BY location"
    )
    return dict(cursor.fetchall())
