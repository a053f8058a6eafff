"""The sensor that refreshes when enough loans have arrived since the last dataset.

Counted are loans with an id above the watermark: the greatest id in the latest `loan_dataset`, or the greatest one that
was there when this sensor last asked for a refresh, whichever is greater. So a refresh that is queued, under way or has
failed is not asked for again on account of the same loans, however many had piled up.

The run key is made of the watermark and of the loan that reached the threshold, not of the newest one: two daemons that
evaluate the same tick at different moments ask for one run.
"""

import json
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import dagster as dg

from credit_assets.jobs import refresh
from credit_assets.loans.table import Arrivals, LoansError, arrivals, check_table, table_sql
from credit_assets.settings import Refresh, Settings, SettingsError, SettingsFile
from resources.errors import PlatformError
from resources.services.database import Database, DatabaseError

if TYPE_CHECKING:
    from psycopg2.extensions import cursor

LOAN_DATASET = dg.AssetKey("loan_dataset")
# For a statement that finds the table locked. With 10 s to connect it is half of what Dagster grants a tick.
PATIENCE = "20s"


class DatasetError(PlatformError, ValueError):
    """The latest dataset does not say what it was made of."""


class CursorError(PlatformError, ValueError):
    """The sensor's cursor is not what this sensor writes."""


@dataclass(frozen=True)
class LastDataset:
    """How many rows the latest dataset has, and the greatest id among them; zeros if there is none."""

    rows: int = 0
    greatest_id: int = 0


def threshold(limits: Refresh, rows: int) -> int:
    """How many loans are enough: the greater of a count and a share of the last dataset, rounded up."""
    return max(limits.new_loans, math.ceil(Fraction(str(limits.new_loans_share)) * rows))


def read_cursor(text: str | None, table: str) -> int:
    """The greatest id that was there when a refresh was last asked for; 0 if none was, or for another table.

    Raises:
        CursorError: somebody else wrote it.
    """
    if not text:
        return 0
    try:
        read = json.loads(text)
        asked_up_to, asked_of = read["asked_up_to"], read["table"]
    except (ValueError, TypeError, KeyError):
        asked_up_to = asked_of = None
    if type(asked_up_to) is not int:
        raise CursorError(f"the cursor can't be read; expected asked_up_to and table, found {len(text)} characters")
    return asked_up_to if asked_of == table else 0


def decide(found: Arrivals, newest_id: int, watermark: int, enough: int, table: str) -> dg.SensorResult | dg.SkipReason:
    """A refresh if enough loans were found above the watermark; or how many of how many there are."""
    if found.count < enough:
        return dg.SkipReason(f"{found.count:,} of {enough:,} loans have arrived since id {watermark}")
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=f"{table}-{watermark}-{found.last_id}")],
        cursor=json.dumps({"asked_up_to": newest_id, "table": table}),
    )


def last_dataset(instance: dg.DagsterInstance, table: str) -> LastDataset:
    """What the event log says about the latest dataset; zeros if that was read from another table.

    Raises:
        DatasetError: its metadata names no rows or no greatest id.
    """
    event = instance.get_latest_materialization_event(LOAN_DATASET)
    if event is None or event.asset_materialization is None:
        return LastDataset()
    metadata = event.asset_materialization.metadata
    rows, greatest_id = (getattr(metadata.get(key), "value", None) for key in ("dagster/row_count", "greatest_id"))
    if type(rows) is not int or type(greatest_id) is not int:
        raise DatasetError(
            "the latest materialization of loan_dataset names no dagster/row_count or no greatest_id: it was reported "
            "from outside. Materialize loan_dataset here"
        )
    return LastDataset(rows, greatest_id) if getattr(metadata.get("table"), "value", None) == table else LastDataset()


def greatest_id(cursor: "cursor", settings: Settings) -> int:
    """The greatest id in the table, from the end of its index; 0 if the table is empty."""
    cursor.execute(f'SELECT max("{settings.table.id}") FROM {table_sql(settings)}')  # noqa: S608 a pattern admits identifiers
    (found,) = cursor.fetchone() or (None,)
    return found or 0


@dg.sensor(
    job=refresh,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A refresh when enough loans have arrived since the last dataset; [refresh] in the settings says when.",
)
def new_loans(
    context: dg.SensorEvaluationContext, settings: SettingsFile, database: Database
) -> dg.SensorResult | dg.SkipReason:
    """Looks what is new in the table; whatever keeps it from knowing is a skip with its reason."""
    try:
        declared = settings.load()
        table = declared.table.name
        asked_up_to = _asked_up_to(context, table)
        last = last_dataset(context.instance, table)
        watermark, enough = max(last.greatest_id, asked_up_to), threshold(declared.refresh, last.rows)
        with database.open_snapshot() as cursor:
            cursor.execute("SET LOCAL statement_timeout = %s", (PATIENCE,))
            check_table(cursor, declared)
            found, newest_id = arrivals(cursor, declared, watermark, enough), greatest_id(cursor, declared)
    except (SettingsError, DatasetError, DatabaseError, LoansError) as error:
        return dg.SkipReason(f"how many loans have arrived is not known: {error}")
    return decide(found, newest_id, watermark, enough, table)


def _asked_up_to(context: dg.SensorEvaluationContext, table: str) -> int:
    try:
        return read_cursor(context.cursor, table)
    except CursorError as error:
        # A skip would last until somebody looks. Going by the dataset alone costs one refresh too many at worst.
        context.log.warning(f"{error}; it is taken for none and written anew with the next request")
        return 0
