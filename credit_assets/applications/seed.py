"""Fills an empty database of our own with locations and with applications that can be scored.

A table that has a row is never changed. The rows are the same on every machine.

Belongs here: the statements that create the two tables, and rows for them. Does not belong here: how they are read.
"""

import io
from typing import TYPE_CHECKING

from credit_assets.loans.seed import DDL_TYPES, draw_loans
from credit_assets.settings.file import Seed, Settings, SettingsError
from credit_assets.settings.names import quote_name, quote_names, quote_table
from resources.services.database import describe_without_rows

if TYPE_CHECKING:
    import pyarrow as pa
    from psycopg2.extensions import cursor

SEGMENTS = 12
# Of 50 open applications of a location there are two more that somebody has decided on.
DECIDED_SHARE = 0.04
RANDOM_STATE = 43  # another than that of the loans: applications are of other people


def fill_applications(cursor: "cursor", settings: Settings) -> int:
    """Creates both tables if they are missing, and fills them if both are empty.

    Args:
        cursor: of a transaction that may write.
        settings: the tables, the features, and how many rows there shall be.

    Returns:
        How many applications were added, decided ones included.

    Raises:
        SettingsError: there is no section `scoring`, the seed has no values for a feature, or PostgreSQL refuses the
            tables.
    """
    import psycopg2

    scoring = settings.require_scoring()
    locations, applications = quote_table(scoring.locations), quote_table(scoring.applications)
    try:
        for statement in create_tables_sql(settings):
            cursor.execute(statement)
        cursor.execute(f"SELECT EXISTS (SELECT FROM {locations}) OR EXISTS (SELECT FROM {applications})")  # noqa: S608 all names are quoted
        if cursor.fetchone() == (True,):
            return 0
        drawn = draw_applications(settings)
        _copy(cursor, locations, draw_locations(scoring.location, settings.seed))
        _copy(cursor, applications, drawn)
        cursor.execute(f"CREATE INDEX ON {applications} ({quote_name(scoring.location)})")
    except psycopg2.Error as error:
        raise SettingsError(
            f"seed.locations: the tables {scoring.locations} and {scoring.applications} can't be made or filled "
            f"({describe_without_rows(error)}). Drop them if they are empty and have other columns than the settings, "
            "or set seed.locations to 0"
        ) from None
    return drawn.num_rows


def create_tables_sql(settings: Settings) -> list[str]:
    """The statements that create the tables of locations and of applications."""
    scoring = settings.require_scoring()
    locations = {scoring.location: "TEXT PRIMARY KEY", "segment": "TEXT NOT NULL", "created_at": "TIMESTAMPTZ NOT NULL"}
    applications = {scoring.id: "BIGINT PRIMARY KEY", scoring.location: "TEXT NOT NULL"}
    features = settings.features
    applications |= {before: "TIMESTAMP" for each in features.values() if (before := each.before_column)}
    applications |= {name: DDL_TYPES[feature.type] for name, feature in features.items()}
    if scoring.decided_at:
        applications[scoring.decided_at] = "TIMESTAMPTZ"
    return [
        f"CREATE TABLE IF NOT EXISTS {quote_table(table)} ("
        + ", ".join(f"{quote_name(name)} {kind}" for name, kind in columns.items())
        + ")"
        for table, columns in ((scoring.locations, locations), (scoring.applications, applications))
    ]


def draw_locations(column: str, seed: Seed) -> "pa.Table":
    """Draws locations: their name, their segment, and when they were made. Shape (locations, 3).

    Args:
        column: that of the names.
        seed: how many there are.
    """
    import pandas as pd
    import pyarrow as pa

    created = pd.date_range("2020-01-01", "2024-01-01", periods=seed.locations, tz="UTC").floor("s")
    segments = [f"segment-{number % SEGMENTS + 1:02}" for number in range(seed.locations)]
    return pa.table({column: _names(seed), "segment": segments, "created_at": pa.array(created)})


def draw_applications(settings: Settings) -> "pa.Table":
    """Draws applications of the same kind as the generated loans, so that their scores are plausible.

    Each location has `seed.applications` open ones. If the settings name a column for it, it has a few decided ones
    more.

    Raises:
        SettingsError: the generated loans have no column for one of the features.
    """
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    scoring, seed = settings.require_scoring(), settings.seed
    decided = round(seed.applications * DECIDED_SHARE) if scoring.decided_at else 0
    each = seed.applications + decided
    drawn = draw_loans(seed.locations * each, RANDOM_STATE)
    if missing := set(settings.features) - set(drawn.columns):
        raise SettingsError(
            f"seed.locations: the seed has no column {', '.join(sorted(missing))}. Set seed.locations to 0, or extend "
            "draw_loans"
        )
    ids = np.arange(1, len(drawn) + 1)
    columns = {scoring.id: ids, scoring.location: pa.array(_names(seed)).take(pa.array((ids - 1) // max(each, 1)))}
    columns |= {name: drawn[name] for name in settings.features}
    if scoring.decided_at:
        is_open = (ids - 1) % max(each, 1) < seed.applications
        times = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(ids, unit="s")
        columns[scoring.decided_at] = pa.array(times, mask=is_open)
    return pa.table(columns)


def _names(seed: Seed) -> list[str]:
    return [f"branch-{number:04}" for number in range(1, seed.locations + 1)]


def _copy(cursor: "cursor", table: str, rows: "pa.Table") -> None:
    import pyarrow.csv as pv

    body, names = io.BytesIO(), quote_names(rows.column_names)
    pv.write_csv(rows, body, pv.WriteOptions(include_header=False))
    body.seek(0)
    cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN (FORMAT csv)", body)
