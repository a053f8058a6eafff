"""A lender in memory, who does to a table of loans whatever real lenders do, by chance and from a seed.

What belongs here: the table, its clock, and the datasets that refreshes read from it. What does not: the rules that
decide when to refresh (`rules`).
"""

import hashlib
import operator
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

from credit_assets.loans.census import BUCKETS, GROUP_SIZE, SUM_MODULUS, Census
from credit_assets.loans.counting import Counted, Limit

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
INFINITY = datetime.max.replace(tzinfo=UTC)
# How far the clock that writes `created_at` is from that of the database: none, minutes, or a zone of its own.
OFFSETS = [timedelta(0), timedelta(minutes=3), timedelta(hours=9), timedelta(hours=-9)]


@dataclass(frozen=True)
class Loan:
    """A row: its bucket and its contents are only as different from those of others as in PostgreSQL."""

    id: str
    created_at: datetime
    income: int

    @property
    def time(self) -> str:
        return "infinity" if self.created_at == INFINITY else f"{self.created_at:%Y-%m-%d %H:%M:%S}"

    @cached_property
    def bucket(self) -> int:
        return int(hashlib.sha256(f"{self.id} {self.time}".encode()).hexdigest()[:3], 16)

    @cached_property
    def contents(self) -> int:
        text = f"{self.id} {self.time} {self.income}"
        return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


def is_beyond(loan: Loan, limit: Limit) -> bool:
    """Whether a dataset with this limit can't hold the loan."""
    is_greater = limit.greatest_id is not None and int(loan.id) > limit.greatest_id
    return limit.as_of is None or loan.created_at > limit.as_of or is_greater


def count(
    loans: Iterable[Loan], limit: Limit, now: datetime, bucket: Callable[[Loan], int] = operator.attrgetter("bucket")
) -> Counted:
    """What `count_loans` finds in a table with these loans, if they lie in these buckets."""
    counts, sums, arrived, future = [0] * BUCKETS, [0] * (BUCKETS // GROUP_SIZE), 0, 0
    for loan in loans:
        if not is_beyond(loan, limit):
            counts[bucket(loan)] += 1
            sums[bucket(loan) // GROUP_SIZE] += loan.contents
        elif loan.created_at > now:
            future += 1
        else:
            arrived += 1
    census = Census("keys", "contents", tuple(counts), tuple(each % SUM_MODULUS for each in sums))
    return Counted(census, arrived, future)


@dataclass(frozen=True)
class Dataset:
    """What one refresh has read: the loans that its time admits, by their ids."""

    number: int
    limit: Limit
    loans: Mapping[str, Loan]
    census: Census | None


@dataclass
class Lender:
    """A table and everything that happens to it."""

    chance: random.Random
    has_uuids: bool = False
    now: datetime = BEGAN
    offset: timedelta = timedelta(0)
    table: dict[str, Loan] = field(default_factory=dict)
    uncommitted: list[Loan] = field(default_factory=list)
    datasets: list[Dataset] = field(default_factory=list)
    under_way: list[str] = field(default_factory=list)
    next_id: int = 1
    cursor: str | None = None
    deeds: set[str] = field(default_factory=set)

    @property
    def latest(self) -> Dataset | None:
        return self.datasets[-1] if self.datasets else None

    def make_loans(self, number: int) -> list[Loan]:
        made = []
        for _ in range(number):
            name = str(self.next_id)
            self.next_id += 1
            if self.has_uuids:
                name = f"{self.chance.getrandbits(64):016x}"
            made.append(Loan(name, self.now + self.offset, self.chance.randrange(10_000)))
        return made

    def add(self, loans: Sequence[Loan]) -> None:
        self.table |= {loan.id: loan for loan in loans}

    def act(self) -> None:
        """Something happens, or time passes."""
        deeds = [self.insert, self.insert, self.insert, self.begin, self.commit, self.delete, self.repair]
        deeds += [self.truncate, self.set_clock, self.forget, self.import_old, self.write_infinity]
        weights = [3, 3, 3, 2, 3, 1, 2, 0.4, 1, 0.5, 1, 0.3]
        (deed,) = self.chance.choices(deeds, weights)
        deed()
        self.deeds.add(deed.__name__)
        self.now += timedelta(seconds=self.chance.choice([1, 60, 3_600, 30_000]))

    def insert(self) -> None:
        self.add(self.make_loans(self.chance.randrange(1, 15)))

    def begin(self) -> None:
        """A transaction takes ids and a time now, and commits later."""
        self.uncommitted += self.make_loans(self.chance.randrange(1, 8))

    def commit(self) -> None:
        self.add(self.uncommitted)
        self.uncommitted = []

    def delete(self) -> None:
        for name in self.chance.sample(sorted(self.table), min(len(self.table), self.chance.randrange(1, 12))):
            del self.table[name]

    def repair(self) -> None:
        for name in self.chance.sample(sorted(self.table), min(len(self.table), self.chance.randrange(1, 6))):
            loan = self.table[name]
            moved = loan.created_at if self.chance.random() < 0.7 else self.now + self.offset
            self.table[name] = Loan(name, moved, loan.income + 1)

    def truncate(self) -> None:
        """The nightly load: the table is emptied, and the loans of another source get ids from 1."""
        self.table, self.uncommitted, self.next_id = {}, [], 1
        self.add(self.make_loans(self.chance.randrange(0, 40)))

    def import_old(self) -> None:
        """Loans of a branch that were created long ago, and get ids now."""
        moment = self.now - timedelta(days=self.chance.randrange(1, 300))
        self.add([Loan(loan.id, moment, loan.income) for loan in self.make_loans(self.chance.randrange(1, 15))])

    def write_infinity(self) -> None:
        self.add([Loan(loan.id, INFINITY, loan.income) for loan in self.make_loans(1)])

    def set_clock(self) -> None:
        self.offset = self.chance.choice(OFFSETS)

    def forget(self) -> None:
        """Somebody resets the cursor, or writes into it."""
        self.cursor = self.chance.choice([None, "", "garbage", '{"asked_up_to": 7, "table": "loans"}'])

    def end_runs(self, failure: float) -> None:
        """The refreshes that are under way end: each reads the table as it is now, or fails."""
        for _ in self.under_way:
            if self.chance.random() >= failure:
                self.read_dataset()
        self.under_way = []

    def read_dataset(self, *, has_census: bool = True) -> None:
        loans = {name: loan for name, loan in self.table.items() if loan.created_at <= self.now}
        census = count(list(loans.values()), Limit(self.now), self.now).census if has_census else None
        greatest_id = None if self.has_uuids else max(map(int, loans), default=None)
        self.datasets.append(Dataset(len(self.datasets) + 1, Limit(self.now, greatest_id), loans, census))
