"""The sensor that refreshes when enough loans are in no dataset.

It takes a census of the table and compares it with the census of the latest `loan_dataset`
(docs/decisions/database/0020-a-census-instead-of-a-greatest-id.md). A loan that no dataset holds is counted in every
tick, whatever its id or time, until a dataset holds it. Each skip says what was found.

The run key names the dataset, the cursor and the last run key. So two daemons that evaluate the same tick at different
moments request one run.

Belongs here: reading the latest dataset, the table and the runs. Does not belong here: the rule (`enough_loans`), and
the statement that counts (`credit_assets.loans.counting`).
"""

import time
from dataclasses import dataclass, field, replace
from datetime import datetime

import dagster as dg

from credit_assets.jobs import refresh
from credit_assets.loans.census import Census, CensusError, compare, is_comparable
from credit_assets.loans.counting import Counted, Limit, count_loans
from credit_assets.loans.table import LoansError, check_table
from credit_assets.settings.file import Settings, SettingsError, SettingsFile
from resources.errors import PlatformError
from resources.history.run_groups import UNFINISHED
from resources.history.tags import RUN_KEY
from resources.services.database import Database, DatabaseError
from resources.store.written_once import compute_sha256
from sensors.enough_loans import (
    CursorError,
    Finding,
    Memory,
    Requested,
    compute_threshold,
    describe,
    is_resting,
    make_rest,
    read_cursor,
    wants_refresh,
)

LOAN_DATASET = dg.AssetKey("loan_dataset")
# How long a count may take. With a second one, and 10 s to connect, it is two thirds of the time of a tick.
STATEMENT_TIMEOUT = "15s"
INTERVAL_SECONDS = 60
UNKNOWN = "how many loans are in no dataset is not known"


class CountError(PlatformError):
    """The table can't be counted in the time of a tick."""


class DatasetError(PlatformError, ValueError):
    """The metadata of the latest dataset lacks its number of rows, its time or its census."""


@dataclass(frozen=True)
class LastDataset:
    """The latest dataset of a table: its event, its rows, its limit and its census; nothing of it if there is none.

    An earlier release recorded no census.
    """

    event: int = 0
    rows: int = 0
    limit: Limit = field(default_factory=Limit)
    census: Census | None = None


def read_last_dataset(instance: dg.DagsterInstance, table: str) -> LastDataset:
    """Reads the latest dataset in the event log; none if it comes from another table.

    Raises:
        DatasetError: its metadata names no rows or no time.
        CensusError: its census can't be read.
    """
    records = instance.fetch_materializations(LOAN_DATASET, limit=1).records
    if not records or records[0].asset_materialization is None:
        return LastDataset()
    metadata = records[0].asset_materialization.metadata
    keys = ("table", "dagster/row_count", "as_of", "greatest_id", "census")
    named, rows, as_of, greatest_id, census = (getattr(metadata.get(key), "value", None) for key in keys)
    if type(rows) is not int or not isinstance(as_of, str):
        raise DatasetError(
            "the latest materialization of loan_dataset names no dagster/row_count or no as_of: it was reported "
            "from outside. Materialize loan_dataset here"
        )
    if named != table:
        return LastDataset()
    held = None if census is None else Census.from_facts(census)
    limit = Limit(datetime.fromisoformat(as_of), greatest_id if type(greatest_id) is int else None)
    return LastDataset(records[0].storage_id, rows, limit, held)


def find_difference(last: LastDataset, counted: Counted) -> Finding:
    """What the table has that the latest dataset lacks, and the other way round."""
    difference = compare(last.census, last.rows, counted.census)
    if not last.event:
        limit = ""
    elif last.census is None:
        limit = "an earlier release made the dataset, so only numbers of rows were compared"
    elif not is_comparable(last.census, counted.census):
        limit = "the settings name another id, another time or another zone now, so only numbers of rows were compared"
    elif not counted.census.contents:
        limit = f"which loans have changed is not known: to read all columns takes more than {STATEMENT_TIMEOUT}"
    elif difference.changed is None:
        limit = "which loans have changed is not known: the settings or PostgreSQL are others than those of the dataset"
    else:
        limit = ""
    return Finding(
        dataset=last.event,
        difference=difference if last.event else replace(difference, changed=0),
        arrived=counted.arrived,
        future=counted.future,
        loans=counted.census.loans + counted.arrived,
        limit_of_knowledge=limit,
    )


def make_run_key(context: dg.SensorEvaluationContext, table: str, dataset: int) -> str:
    """The same for everybody who evaluates this tick, and another one after each request."""
    state = compute_sha256(f"{context.cursor or ''}\n{context.last_run_key or ''}".encode())
    return f"{table}-{dataset}-{state[:12]}"


def is_under_way(instance: dg.DagsterInstance, run_key: str) -> bool:
    """Whether a run that was requested with this key, or a retry of it, has not ended."""
    wanted = dg.RunsFilter(statuses=UNFINISHED, tags={RUN_KEY: run_key})
    return bool(instance.get_run_ids(filters=wanted, limit=1))


@dg.sensor(
    job=refresh,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A refresh when enough loans are in no dataset; [refresh] in the settings says how many are enough.",
)
def new_loans(
    context: dg.SensorEvaluationContext, settings: SettingsFile, database: Database
) -> dg.SensorResult | dg.SkipReason:
    """Counts the loans that the latest dataset lacks, and decides. If it can't count them, it skips and says why."""
    began = time.time()
    try:
        declared = settings.load()
        last = read_last_dataset(context.instance, declared.table.name)
        memory = _read_cursor_or_nothing(context, declared.table.name)
        if memory.rest and is_resting(memory, last.event, began):
            return dg.SkipReason(f"{memory.rest.reason} (counted {round(began - memory.rest.began)} s ago)")
        try:
            counted = _count(database, declared, last)
        except CountError as error:
            return _skip(memory, last.event, began, f"{UNKNOWN}: {error}")
    except (SettingsError, DatasetError, CensusError, DatabaseError, LoansError) as error:
        return dg.SkipReason(f"{UNKNOWN}: {error}")
    return _decide(context, declared, memory, find_difference(last, counted), last.rows, began)


def _count(database: Database, settings: Settings, last: LastDataset) -> Counted:
    """Counts the loans. If that takes too long, it counts them without a look at their other columns.

    Raises:
        CountError: that takes too long too.
    """
    from psycopg2.errors import QueryCanceled

    with database.with_row_policy(settings.table.row_policy).open_snapshot() as cursor:
        cursor.execute("SET LOCAL statement_timeout = %s", (STATEMENT_TIMEOUT,))
        found = check_table(cursor, settings)
        cursor.execute("SAVEPOINT before_count")
        try:
            return count_loans(cursor, settings, last.limit, found)
        except QueryCanceled:
            cursor.execute("ROLLBACK TO SAVEPOINT before_count")
        try:
            return count_loans(cursor, settings, last.limit, found, with_contents=False)
        except QueryCanceled:
            raise CountError(
                f"to count {settings.table.name} takes more than {STATEMENT_TIMEOUT}, or the table is locked. If it is "
                "not locked, refresh_schedule alone reads the loans"
            ) from None


def _decide(
    context: dg.SensorEvaluationContext, settings: Settings, memory: Memory, finding: Finding, rows: int, began: float
) -> dg.SensorResult | dg.SkipReason:
    table, now = settings.table, time.time()
    enough = compute_threshold(settings.refresh, rows)
    if wants_refresh(finding, enough, memory.requested, now, lambda key: is_under_way(context.instance, key)):
        key = make_run_key(context, table.name, finding.dataset)
        request = Requested(key, now, finding.dataset, finding.missing, finding.difference.gone)
        return dg.SensorResult(
            run_requests=[dg.RunRequest(run_key=key)], cursor=Memory(table.name, request).to_cursor()
        )
    return _skip(memory, finding.dataset, began, describe(finding, enough, table.created_at, memory.requested))


def _skip(memory: Memory, dataset: int, began: float, reason: str) -> dg.SensorResult | dg.SkipReason:
    """A skip after a count. It remembers a count that took so long that the table rests."""
    rest = make_rest(dataset, began, time.time() - began, INTERVAL_SECONDS, reason)
    if rest == memory.rest:
        return dg.SkipReason(reason)
    return dg.SensorResult(skip_reason=reason, cursor=replace(memory, rest=rest).to_cursor())


def _read_cursor_or_nothing(context: dg.SensorEvaluationContext, table: str) -> Memory:
    try:
        return read_cursor(context.cursor, table)
    except CursorError as error:
        # A skip would be repeated until a person repairs the cursor. Going on without it costs at worst one refresh too
        # many.
        context.log.warning(f"{error}; it is taken for none and written anew with the next request")
        return Memory(table)
