"""Rules that decide when to refresh, in the same form: that of the sensor, and two that are wrong.

The rule of release 0.1 forgets loans, and another one forgets what it requested. They show that the histories find such
rules.
"""

import json
from dataclasses import dataclass

from sensors.enough_loans import CursorError, Finding, Memory, Requested, describe, read_cursor, wants_refresh
from sensors.new_loans import LastDataset, find_difference
from tests.support.histories.lender import Lender, count

TABLE = "loans"


@dataclass(frozen=True)
class Tick:
    """What one tick has decided and said."""

    is_request: bool
    missing: int
    future: int
    reason: str
    finding: Finding | None = None


def count_by_census(lender: Lender, enough: int) -> Tick:
    """One tick of the sensor, with its own code from the cursor to the reason."""
    latest = lender.latest
    last = LastDataset(latest.number, len(latest.loans), latest.limit, latest.census) if latest else LastDataset()
    try:
        memory = read_cursor(lender.cursor, TABLE)
    except CursorError:
        memory = Memory(TABLE)
    finding = find_difference(last, count(list(lender.table.values()), last.limit, lender.now))
    now = lender.now.timestamp()
    is_request = wants_refresh(finding, enough, memory.requested, now, lender.under_way.__contains__)
    if is_request:
        key = f"{last.event}-{now}"
        lender.under_way.append(key)
        requested = Requested(key, now, last.event, finding.missing, finding.difference.gone)
        lender.cursor = Memory(TABLE, requested).to_cursor()
    reason = describe(finding, enough, "created_at", memory.requested)
    return Tick(is_request, finding.missing, finding.future, reason, finding)


def forget_requests(lender: Lender, enough: int) -> Tick:
    """A rule that asks for the same loans in every tick."""
    cursor, lender.cursor = lender.cursor, None
    tick = count_by_census(lender, enough)
    if not tick.is_request:
        lender.cursor = cursor
    return tick


def count_above_greatest_id(lender: Lender, enough: int) -> Tick:
    """One tick of release 0.1: it counts ids above the greatest one in the dataset, or in the last request."""
    try:
        requested = json.loads(lender.cursor or "")["asked_up_to"]
    except (ValueError, KeyError):
        requested = 0
    held = [int(name) for name in (lender.latest.loans if lender.latest else {})]
    above = [int(name) for name in lender.table if int(name) > max([*held, requested, 0])]
    if len(above) < enough:
        return Tick(False, len(above), 0, f"{len(above)} of {enough}")
    lender.cursor = json.dumps({"asked_up_to": max(above), "table": TABLE})
    lender.under_way.append(lender.cursor)
    return Tick(True, len(above), 0, "")
