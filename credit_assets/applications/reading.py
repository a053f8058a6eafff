"""The open applications of many locations, read by one statement.

A model needs 27 ms for a call and 15 µs for a row, so that many locations are read, and scored, together.

Belongs here: which rows and columns are read. Does not belong here: how rows come out of PostgreSQL
(`credit_assets.tables.rows`), and whether their values are good (`validation`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from credit_assets.applications.tables import LocationsError, declare_applications, open_only, select_table_features
from credit_assets.settings.columns import Column
from credit_assets.settings.file import Settings
from credit_assets.settings.names import quote_name
from credit_assets.settings.scoring import Scoring
from credit_assets.tables.declared import check_columns
from credit_assets.tables.expressions import select_columns
from credit_assets.tables.kinds import has_text_ids, make_schema
from credit_assets.tables.rows import open_batches

if TYPE_CHECKING:
    import pyarrow as pa
    from psycopg2.extensions import cursor


def application_schema(settings: Settings, *, text_ids: bool = False) -> "pa.Schema":
    """The columns of applications as they are read, with their types: location, id, and the features in their order.

    Features that a service answers are not among them.

    Args:
        settings: which columns are read.
        text_ids: whether ids are text, as those of a UUID are. The type of the table's column decides that.

    Raises:
        SettingsError: the settings have no section `scoring`.
    """
    scoring = settings.require_scoring()
    ids = {scoring.id: "category"} if text_ids else {}
    return make_schema(_list_kinds(scoring, select_table_features(settings)) | ids)


def _list_kinds(scoring: Scoring, features: Mapping[str, Column]) -> dict[str, str]:
    kinds = {name: column.type for name, column in features.items()}
    return {scoring.location: "name", scoring.id: "id", **kinds}


def read_applications(
    cursor: "cursor", settings: Settings, locations: Sequence[str], as_of: datetime | None = None
) -> "pa.Table":
    """Reads the open applications of some locations.

    Args:
        cursor: of a connection in UTF-8 that may read the table, and of a server that knows the time zone of the
            settings (`tables.check_applications`).
        settings: which table it is, and which features it has.
        locations: any names; one that is repeated, or that has no applications, adds no row.
        as_of: the time that dates lie before, as in the dataset; None for the time of the snapshot.

    Returns:
        A row for each open application, with the columns of `application_schema`, sorted by location and id. Ids that
        are text are in the order of their characters' numbers.

    Raises:
        LocationsError: the table is not as declared, or a value can't be read as its type.
        SettingsError: the settings have no section `scoring`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    scoring, features = settings.require_scoring(), select_table_features(settings)
    table = declare_applications(scoring, features)
    found = check_columns(cursor, table)
    schema = application_schema(settings, text_ids=has_text_ids(found[scoring.id]))
    kinds = _list_kinds(scoring, features)
    columns = select_columns(kinds, features, found, settings.table.time_zone, as_of or _read_time(cursor))
    # COPY takes no parameters. psycopg2 quotes the names as it does for any statement, by the settings of the server.
    names = cursor.mogrify("%s::text[]", (sorted(set(locations)),)).decode("utf-8")
    sql = (
        f"SELECT {', '.join(columns.values())} FROM {table.sql} "  # noqa: S608 all names are quoted
        f"WHERE {quote_name(scoring.location)} = ANY({names}) AND {open_only(scoring)}"
    )
    with open_batches(cursor, sql, schema, LocationsError) as batches:
        rows = pa.Table.from_batches(batches, schema)
    # Not sorted by PostgreSQL, whose order of texts is another in each database. Arrow reads a name such as `.a` as a
    # path, so that it sorts by names of our own.
    keys = pa.table({"location": rows.column(scoring.location), "id": rows.column(scoring.id)})
    return rows.take(pc.sort_indices(keys, [("location", "ascending"), ("id", "ascending")]))


def _read_time(cursor: "cursor") -> datetime:
    """The time of the cursor's snapshot."""
    cursor.execute("SELECT transaction_timestamp()")
    ((now,),) = cursor.fetchall()
    return now
