"""The rule of the sensor `new_loans`: what one count found, what was requested before, and whether to request now.

Belongs here: pure decisions, and the cursor between two ticks. Does not belong here: reading a table, or Dagster's
event log (`new_loans`), and how loans are compared (`credit_assets.loans.census`).
"""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from fractions import Fraction

from credit_assets.loans.census import Difference
from credit_assets.settings.limits import Refresh
from resources.errors import PlatformError

# A refresh that failed is requested again after a day, for the same loans. Most failures are of the data, and trying
# more often would send the same alert again.
REPEAT_SECONDS = 24 * 3_600
# Counting reads the whole table. After a count of s seconds the table rests for 100 s, at most 10 minutes.
REST_FACTOR, MOST_REST_SECONDS = 100, 600


class CursorError(PlatformError, ValueError):
    """This sensor has not written its cursor."""


@dataclass(frozen=True)
class Finding:
    """What one count found, against the latest dataset.

    Attributes:
        dataset: number of the event that logged the dataset; 0 if there is none.
        difference: of the loans that the dataset can hold.
        arrived: loans that it can't hold, by their time or id.
        future: loans that the next dataset leaves out too, because their time is still to come.
        loans: how many loans the next dataset would hold.
        limit_of_knowledge: why only numbers of rows, or no changes, could be compared; empty if all could.
    """

    dataset: int
    difference: Difference
    arrived: int
    future: int
    loans: int
    limit_of_knowledge: str = ""

    @property
    def missing(self) -> int:
        """How many loans are in no dataset, and would be in the next one."""
        return self.arrived + self.difference.lacking


@dataclass(frozen=True)
class Requested:
    """The last refresh that was requested: for which dataset's lack, when, and how much was missing or gone then."""

    key: str
    at: float
    dataset: int
    missing: int
    gone: int


@dataclass(frozen=True)
class Rest:
    """The last count, if it took so long that the table rests until a time."""

    dataset: int
    began: float
    until: float
    reason: str


@dataclass(frozen=True)
class Memory:
    """What the cursor keeps from one tick to the next, about one table."""

    table: str
    requested: Requested | None = None
    rest: Rest | None = None

    def to_cursor(self) -> str:
        return json.dumps(asdict(self))


def read_cursor(text: str | None, table: str) -> Memory:
    """What an earlier tick has kept; nothing if there is no cursor, if it is about another table, or of release 0.1.

    Release 0.1 kept the greatest id that it had requested a refresh for. It says nothing about what a dataset holds.

    Raises:
        CursorError: another program wrote the cursor.
    """
    if not text:
        return Memory(table)
    try:
        fields = json.loads(text)
        if fields.keys() == {"asked_up_to", "table"}:
            return Memory(table)
        requested, rest = fields["requested"], fields["rest"]
        memory = Memory(fields["table"], requested and Requested(**requested), rest and Rest(**rest))
        if not _has_types(memory):
            raise TypeError
    except (ValueError, TypeError, KeyError, AttributeError):
        raise CursorError(
            f"the cursor can't be read; expected table, requested and rest, found {len(text)} characters"
        ) from None
    return memory if memory.table == table else Memory(table)


def _has_types(memory: Memory) -> bool:
    """Whether all numbers of a cursor are numbers: dataclasses don't look."""
    requested, rest = memory.requested, memory.rest
    numbers = [*([requested.at] if requested else []), *([rest.began, rest.until] if rest else [])]
    counts = [*([requested.dataset, requested.missing, requested.gone] if requested else [])]
    return all(type(each) in (int, float) for each in numbers) and all(type(each) is int for each in counts)


def compute_threshold(limits: Refresh, rows: int) -> int:
    """How many loans are enough: a count, or a share of the last dataset (rounded up) if that is greater."""
    return max(limits.new_loans, math.ceil(Fraction(str(limits.new_loans_share)) * rows))


def make_rest(dataset: int, began: float, seconds: float, interval: float, reason: str) -> Rest | None:
    """The rest of a table that was counted in so many seconds; None if it ends before the next tick."""
    rest = min(REST_FACTOR * seconds, MOST_REST_SECONDS)
    return Rest(dataset, began, began + rest, reason) if rest > interval else None


def is_resting(memory: Memory, dataset: int, now: float) -> bool:
    """Whether the last count still stands: the dataset is the same, and no clock was set back behind it."""
    rest = memory.rest
    return rest is not None and rest.dataset == dataset and rest.began <= now < rest.until


def is_due(finding: Finding, enough: int) -> bool:
    """Whether the dataset lacks enough loans, or holds as many that are gone.

    Loans that are gone count because new ones can hide behind them. An empty table is a load under way, and no reason.
    """
    return finding.missing >= enough or (finding.difference.gone >= enough and finding.loans > 0)


def is_requested(
    requested: Requested | None, finding: Finding, enough: int, now: float, is_under_way: Callable[[str], bool]
) -> bool:
    """Whether a refresh was requested for these loans: since then no dataset came, and less than `enough` was added.

    A refresh that ended without a dataset counts for a day. One that is under way counts as long as it is.
    """
    return (
        requested is not None
        and requested.dataset == finding.dataset
        and finding.missing < requested.missing + enough
        and finding.difference.gone < requested.gone + enough
        and (abs(now - requested.at) < REPEAT_SECONDS or is_under_way(requested.key))
    )


def wants_refresh(
    finding: Finding, enough: int, requested: Requested | None, now: float, is_under_way: Callable[[str], bool]
) -> bool:
    """Whether a refresh is due that was not requested yet."""
    return is_due(finding, enough) and not is_requested(requested, finding, enough, now, is_under_way)


def describe(finding: Finding, enough: int, created_at: str, requested: Requested | None) -> str:
    """How many loans are in no dataset, and everything else that the count found.

    Args:
        finding: what was found.
        enough: how many missing loans start a refresh.
        created_at: the column with the time of a loan.
        requested: the last refresh, if it was requested and no dataset has come since.
    """
    difference = finding.difference
    bound = "about " if difference.is_estimate else "at least " if difference.gone else ""
    parts = [f"{bound}{finding.missing:,} of {enough:,} loans are in no dataset"]
    if difference.lacking and finding.dataset:
        parts.append(
            f"{difference.lacking:,} of them came late: the dataset was read after their {created_at}, without them"
        )
    if finding.future:
        parts.append(
            f"{finding.future:,} more are left out until their time, because their {created_at} is later than now. If "
            "that is wrong, correct the column or its time zone"
        )
    if difference.gone:
        parts.append(
            f"{bound}{difference.gone:,} of the dataset's loans are no longer in the table, and new ones can hide "
            f"behind them ({enough:,} start a refresh)"
        )
    if difference.changed:
        parts.append(f"at least {difference.changed:,} of the dataset's loans have changed since")
    if finding.limit_of_knowledge:
        parts.append(finding.limit_of_knowledge)
    if requested and requested.dataset == finding.dataset:
        at = datetime.fromtimestamp(requested.at, UTC).isoformat(timespec="seconds")
        parts.append(f"a refresh for {requested.missing:,} was requested at {at}, and no dataset has come since")
    return "; ".join(parts)
