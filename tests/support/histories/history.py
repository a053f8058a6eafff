"""One random history: a lender acts, a rule ticks, refreshes end or fail, and each tick is judged.

What belongs here: the order of events, and the verdict. What does not: what may happen (`lender`), and the rules.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.support.histories.lender import Lender, Loan, is_beyond
from tests.support.histories.rules import Tick

ENOUGH, DEEDS = 20, 30
A_DAY = timedelta(days=1)
Rule = Callable[[Lender, int], Tick]


@dataclass(frozen=True)
class Request:
    """A refresh that a tick requested: what was lacking and gone then, and what the tick left in the cursor."""

    dataset: int
    at: datetime
    lacking: int
    gone: int
    cursor: str | None


@dataclass
class Verdict:
    """What was wrong in one history; nothing, if all lists are empty.

    Attributes:
        forgotten: ticks that did not count a loan which is in no dataset, and did not name it either.
        too_many: requests for loans that a refresh was requested for already.
        lender: as the history left it, with all that it did.
        requests: how many refreshes were requested.
        last: the last one of them.
    """

    lender: Lender
    forgotten: list[str] = field(default_factory=list)
    too_many: list[str] = field(default_factory=list)
    requests: int = 0
    last: Request | None = None


def play(seed: int, rule: Rule, *, has_uuids: bool = False) -> Verdict:
    """Plays the history of a seed. At its end refreshes succeed, and the rule has the time that it needs."""
    lender = Lender(random.Random(seed), has_uuids=has_uuids)
    verdict = Verdict(lender)
    if lender.chance.random() < 0.2:
        lender.insert()
        lender.read_dataset(has_census=False)
    for _ in range(DEEDS):
        lender.act()
        _tick(lender, rule, verdict)
        if lender.chance.random() < 0.5:
            lender.end_runs(failure=0.4)
    lender.commit()
    lender.under_way = []
    lender.now += timedelta(days=2)
    while _tick(lender, rule, verdict).is_request:
        lender.end_runs(failure=0)
        lender.now += timedelta(minutes=1)
    lacking, _, hidden = compare_exactly(lender)
    if len(lacking) - hidden >= ENOUGH and lender.latest and lender.latest.census:
        verdict.forgotten.append(f"{len(lacking)} loans wait for a refresh at the end, and none is requested")
    return verdict


def _tick(lender: Lender, rule: Rule, verdict: Verdict) -> Tick:
    cursor, is_under_way = lender.cursor, bool(lender.under_way)
    tick = rule(lender, ENOUGH)
    verdict.forgotten += [f"at {lender.now}: {each}" for each in find_forgotten(lender, tick)]
    if tick.is_request:
        lacking, gone, hidden = compare_exactly(lender)
        last, dataset = verdict.last, lender.latest.number if lender.latest else 0
        if len(lacking) < ENOUGH and gone < ENOUGH:
            verdict.too_many.append(f"at {lender.now}: only {len(lacking)} are in no dataset, and {gone} are gone")
        # Numbers of rows, which are all that a dataset without a census has, may rise for loans that were there before.
        is_exact = lender.latest is None or lender.latest.census is not None
        is_same = is_exact and last and (last.dataset, last.cursor) == (dataset, cursor)
        is_more = last and (len(lacking) >= last.lacking + ENOUGH or gone >= last.gone + ENOUGH)
        if last and is_same and not is_more and (is_under_way or lender.now < last.at + A_DAY):
            verdict.too_many.append(f"at {lender.now}: requested again for the same loans")
        verdict.requests += 1
        verdict.last = Request(dataset, lender.now, len(lacking) - hidden, gone - hidden, lender.cursor)
    return tick


def compare_exactly(lender: Lender) -> tuple[list[Loan], int, int]:
    """Which loans that a refresh could read now are in no dataset, how many of the dataset are gone, and how many hide.

    A loan hides if its bucket also lost one: the numbers of a census can't tell them apart.
    """
    latest = lender.latest
    held = {(loan.id, loan.created_at) for loan in latest.loans.values()} if latest else set()
    present = {(loan.id, loan.created_at) for loan in lender.table.values()}
    readable = [loan for loan in lender.table.values() if loan.created_at <= lender.now]
    lacking = [loan for loan in readable if (loan.id, loan.created_at) not in held]
    if latest is None:
        return lacking, 0, 0
    gone = [loan for loan in latest.loans.values() if (loan.id, loan.created_at) not in present]
    late = Counter(loan.bucket for loan in lacking if not is_beyond(loan, latest.limit))
    lost = Counter(loan.bucket for loan in gone)
    return lacking, len(gone), (late & lost).total()


def find_forgotten(lender: Lender, tick: Tick) -> list[str]:
    """What a tick neither counts nor names."""
    lacking, gone, hidden = compare_exactly(lender)
    future = sum(loan.created_at > lender.now for loan in lender.table.values())
    finding, forgotten = tick.finding, []
    if tick.future != future or (future and f"{future} more are left out" not in tick.reason):
        forgotten.append(f"{future} loans are left out for their time, and {tick.future} are named")
    if finding is None:
        if tick.missing < len(lacking):
            forgotten.append(f"{len(lacking)} loans are in no dataset, and {tick.missing} are counted")
        return forgotten
    if finding.limit_of_knowledge:
        if finding.limit_of_knowledge not in tick.reason:
            forgotten.append("the tick does not say that it knows less")
        return forgotten
    if not finding.difference.is_estimate and finding.missing != len(lacking) - hidden:
        forgotten.append(f"{len(lacking)} loans are in no dataset, {hidden} hide, and {finding.missing} are counted")
    if abs(finding.missing - len(lacking)) > max(hidden, 0.1 * (len(lacking) + gone)):
        forgotten.append(f"{len(lacking)} loans are in no dataset, and {finding.missing} are counted")
    if hidden and not finding.difference.changed and "can hide behind them" not in tick.reason:
        forgotten.append(f"{hidden} loans hide, and the tick does not say that some can")
    latest = lender.latest
    changed = latest and any(
        (now := lender.table.get(name)) and now.created_at == loan.created_at and now != loan
        for name, loan in latest.loans.items()
    )
    if changed and not (finding.difference.changed or finding.difference.lacking or finding.difference.gone):
        forgotten.append("a loan of the dataset has changed, and the tick says nothing")
    return forgotten
