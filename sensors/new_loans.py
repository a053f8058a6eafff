"""The sensor that refreshes when enough loans have arrived since the last dataset.

It counts the loans with an id above the watermark. The watermark is the greater of two ids: the greatest id in the
latest `loan_dataset`, and the greatest id in the table when this sensor last requested a refresh. So the same loans
never cause a second refresh while the first one is queued or under way, or after it has failed.

The run key names the watermark and the loan that reached the threshold, not the newest loan. So two daemons that
evaluate the same tick at different moments request one run.

Belongs here: when new loans cause a refresh. Does not belong here: SQL that counts them (`credit_assets.loans.table`).
"""

import json
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import dagster as dg

from credit_assets.jobs import refresh
from credit_assets.loans.table import Arrivals, LoansError, arrivals, check_table, table_sql
from credit_assets.settings.file import Settings, SettingsError, SettingsFile
from credit_assets.settings.limits import Refresh
from credit_assets.settings.names import quote_name
from resources.errors import PlatformError
from resources.services.database import Database, DatabaseError

if TYPE_CHECKING:
    from psycopg2.extensions import cursor

LOAN_DATASET = dg.AssetKey("loan_dataset")
# How long a statement waits for a locked table. Together with 10 s to connect, it is half the time of a tick.
STATEMENT_TIMEOUT = "20s"


class DatasetError(PlatformError, ValueError):
    """The metadata of the latest dataset lacks its number of rows or its greatest id."""


class CursorError(PlatformError, ValueError):
    """This sensor has not written its cursor."""


@dataclass(frozen=True)
class LastDataset:
    """How many rows the latest dataset has, and the greatest id among them; zeros if there is none."""

    rows: int = 0
    greatest_id: int = 0


def compute_threshold(limits: Refresh, rows: int) -> int:
    """How many loans are enough: a count, or a share of the last dataset (rounded up) if that is greater."""
    return max(limits.new_loans, math.ceil(Fraction(str(limits.new_loans_share)) * rows))


def read_cursor(text: str | None, table: str) -> int:
    """The greatest id in the table when a refresh was last requested; 0 if none was, or if the table is another.

    Raises:
        CursorError: another program wrote the cursor.
    """
    if not text:
        return 0
    try:
        fields = json.loads(text)
        requested_up_to, requested_table = fields["asked_up_to"], fields["table"]
    except (ValueError, TypeError, KeyError):
        requested_up_to = requested_table = None
    if type(requested_up_to) is not int:
        raise CursorError(f"the cursor can't be read; expected asked_up_to and table, found {len(text)} characters")
    return requested_up_to if requested_table == table else 0


def decide(found: Arrivals, newest_id: int, watermark: int, enough: int, table: str) -> dg.SensorResult | dg.SkipReason:
    """A refresh if enough loans have ids above the watermark; else a skip that says how many there are."""
    if found.count < enough:
        return dg.SkipReason(f"{found.count:,} of {enough:,} loans have arrived since id {watermark}")
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=f"{table}-{watermark}-{found.last_id}")],
        cursor=json.dumps({"asked_up_to": newest_id, "table": table}),
    )


def read_last_dataset(instance: dg.DagsterInstance, table: str) -> LastDataset:
    """Reads the latest dataset's figures in the event log; zeros if the dataset comes from another table.

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


def read_greatest_id(cursor: "cursor", settings: Settings) -> int:
    """Reads the greatest id in the table from the end of its index; 0 if the table is empty."""
    cursor.execute(f"SELECT max({quote_name(settings.table.id)}) FROM {table_sql(settings)}")  # noqa: S608 all names are quoted
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
    """Counts the new loans in the table and decides. If the sensor can't count them, it skips and says why."""
    try:
        declared = settings.load()
        table = declared.table.name
        requested_up_to = _read_cursor_or_zero(context, table)
        last = read_last_dataset(context.instance, table)
        watermark, enough = max(last.greatest_id, requested_up_to), compute_threshold(declared.refresh, last.rows)
        with database.open_snapshot() as cursor:
            cursor.execute("SET LOCAL statement_timeout = %s", (STATEMENT_TIMEOUT,))
            check_table(cursor, declared)
            found, newest_id = arrivals(cursor, declared, watermark, enough), read_greatest_id(cursor, declared)
    except (SettingsError, DatasetError, DatabaseError, LoansError) as error:
        return dg.SkipReason(f"how many loans have arrived is not known: {error}")
    return decide(found, newest_id, watermark, enough, table)


def _read_cursor_or_zero(context: dg.SensorEvaluationContext, table: str) -> int:
    try:
        return read_cursor(context.cursor, table)
    except CursorError as error:
        # A skip would be repeated until a person repairs the cursor. Going on without it costs at worst one refresh too
        # many.
        context.log.warning(f"{error}; it is taken for none and written anew with the next request")
        return 0
