"""What retention deletes from the tables of scores and prices: rows of locations and segments that left long ago.

A location that exists keeps its scores. The locations are read again before rows are deleted, so that one that came
back in between keeps them too.

Belongs here: the rules, and their statements. Does not belong here: the columns of the tables (`applications`,
`pricing`).
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from credit_assets.applications.tables import read_locations, read_segments
from credit_assets.retention.removal import Amount, Removal
from credit_assets.settings.file import Settings
from credit_assets.settings.names import quote_name, quote_table
from credit_assets.tables.declared import read_column_types
from resources.errors import PlatformError
from resources.services.database import Database

if TYPE_CHECKING:
    from psycopg2.extensions import cursor

# Rows that one transaction deletes: it ends within seconds, so that no wave waits long for its locks.
ROWS_AT_ONCE = 5_000


@dataclass(frozen=True)
class OldRows:
    """Rows of one table whose location or segment has left.

    Attributes:
        kind: what they are, for people.
        table: as the settings name it.
        key: its primary key.
        column: that names what may have left.
        time: the column with the time when a row was written.
        read_present: reads the names that are there now.
    """

    kind: str
    table: str
    key: str
    column: str
    time: str
    read_present: Callable[[], list[str]]


def find_table_removals(database: Database, scores_database: Database, settings: Settings, now: float) -> list[Removal]:
    """Which rows go, and which stay. It deletes nothing from a table that the settings do not name.

    Args:
        database: where the locations are.
        scores_database: where scores and prices are. Its role needs SELECT and DELETE on both tables.
        settings: with a section `retention`; without one nothing goes.
        now: Unix seconds.

    Raises:
        DatabaseError: the database of the scores can't be read.
    """
    scoring, pricing, retention = settings.scoring, settings.pricing, settings.retention
    if scoring is None or retention is None:
        return []
    policy = settings.table.row_policy
    database, scores_database = database.with_row_policy(policy), scores_database.with_row_policy(policy)

    def read_names() -> list[str]:
        with database.open_snapshot() as cursor:
            return read_locations(cursor, scoring)

    rules = [
        OldRows("scores of locations that left", scoring.scores, "application", "location", "scored_at", read_names)
    ]
    if pricing:
        segment = pricing.segment

        def read_priced() -> list[str]:
            with database.open_snapshot() as cursor:
                return [each for each in read_segments(cursor, scoring, segment).values() if each]

        rules.append(
            OldRows("prices of segments that left", pricing.prices, "segment", "segment", "priced_at", read_priced)
        )
    before = now - retention.left_days * 86_400
    return [_find(scores_database, rule, before, retention.left_days) for rule in rules]


def _find(scores_database: Database, rule: OldRows, before: float, days: int) -> Removal:
    def nothing() -> None:
        pass

    with scores_database.open_snapshot() as cursor:
        if not read_column_types(cursor, rule.table):
            return Removal(rule.kind, Amount(0), Amount(0), f"table {rule.table} does not exist yet", nothing)
        cursor.execute(f"SELECT count(*) FROM {quote_table(rule.table)}")  # noqa: S608 all names are quoted
        ((rows,),) = cursor.fetchall()
    present, reason = _read_present(rule)
    if reason:
        return Removal(rule.kind, Amount(0), Amount(rows), reason, nothing)
    with scores_database.open_snapshot() as cursor:
        cursor.execute(f"SELECT count(*) FROM {_spell_table(rule)} {_old(rule)}", (present, before))  # noqa: S608
        ((old,),) = cursor.fetchall()
    why = f"their {rule.column} exists, or they were written less than {days} days ago"
    return Removal(
        rule.kind, Amount(old), Amount(rows - old), why, lambda: _delete(scores_database.open_transaction, rule, before)
    )


def _read_present(rule: OldRows) -> tuple[list[str], str]:
    """The names that are there, and why nothing may be deleted; empty if it may."""
    try:
        present = rule.read_present()
    except PlatformError as error:
        return [], f"nothing is deleted, because nobody knows what has left: {error}"
    if not present:
        return [], f"nothing is deleted, because no {rule.column} is there at all, which is more likely a mistake"
    return present, ""


def _old(rule: OldRows) -> str:
    """The condition of rows that go. It takes the names that are there, and Unix seconds."""
    return f"WHERE {quote_name(rule.column)} <> ALL(%s) AND {quote_name(rule.time)} < to_timestamp(%s)"


def _spell_table(rule: OldRows) -> str:
    """The table's name in a statement with parameters, where psycopg2 takes a single `%` for one of them."""
    return quote_table(rule.table).replace("%", "%%")


def _delete(open_transaction: Callable[[], AbstractContextManager["cursor"]], rule: OldRows, before: float) -> None:
    present, reason = _read_present(rule)
    deleted = 0 if reason else ROWS_AT_ONCE
    while deleted == ROWS_AT_ONCE:
        with open_transaction() as cursor:
            # The condition stands twice: a row that a wave has written in between is not deleted.
            cursor.execute(
                f"DELETE FROM {_spell_table(rule)} {_old(rule)} AND {quote_name(rule.key)} IN "  # noqa: S608 as above
                f"(SELECT {quote_name(rule.key)} FROM {_spell_table(rule)} {_old(rule)} LIMIT {ROWS_AT_ONCE})",
                (present, before, present, before),
            )
            deleted = cursor.rowcount
