"""The census: how many loans lie in each of 4,096 buckets, and sums over what they hold.

A hash of id and time spreads the loans over the buckets. A dataset records its census, the sensor takes one of the
table, and their difference says how many loans the dataset lacks. It works for ids of any type and in any order.

Belongs here: a census, its form in the facts of a dataset, and the difference of two. Does not belong here: the
statement that takes one (`counting`), and when a difference causes a refresh (`sensors`).
"""

import base64
import binascii
import math
import operator
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from resources.errors import PlatformError
from resources.store.written_once import compute_sha256

BUCKETS = 4_096
# Sums are kept for 512 groups of eight buckets each: they only have to notice a change, and are most of the bytes.
GROUP_SIZE = 8
SUM_MODULUS = 1 << 32
# Below so many hidden loans an estimate says less than a lower bound.
FEW = 5
_LAYOUT = struct.Struct(f"<{BUCKETS + BUCKETS // GROUP_SIZE}I")


class CensusError(PlatformError, ValueError):
    """The census of a dataset can't be read: another release or another program wrote it."""


@dataclass(frozen=True)
class Census:
    """The loans of one table at one time.

    Attributes:
        keys: fingerprint of the expression that spreads loans over buckets. Only equal ones can be compared.
        contents: fingerprint of what is added up; empty if nothing is. Sums of others can't be compared.
        counts: how many loans each bucket has.
        sums: for each group of buckets, the sum of a hash of everything that is read of its loans, modulo 2^32.
    """

    keys: str
    contents: str
    counts: tuple[int, ...]
    sums: tuple[int, ...]

    @property
    def loans(self) -> int:
        """How many loans there are."""
        return sum(self.counts)

    def to_facts(self) -> dict[str, str]:
        """Its form in the facts of a dataset and in the metadata of an event: at most 11 KB, for 20,000 loans 5 KB."""
        packed = zlib.compress(_LAYOUT.pack(*self.counts, *self.sums), level=9)
        return {"keys": self.keys, "contents": self.contents, "buckets": base64.b64encode(packed).decode()}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "Census":
        """The census that `to_facts` wrote.

        Raises:
            CensusError: it is not one.
        """
        try:
            numbers = _LAYOUT.unpack(zlib.decompress(base64.b64decode(facts["buckets"], validate=True)))
            return cls(str(facts["keys"]), str(facts["contents"]), numbers[:BUCKETS], numbers[BUCKETS:])
        except (KeyError, TypeError, ValueError, binascii.Error, zlib.error, struct.error):
            raise CensusError(
                f"the census of the latest loan_dataset can't be read; expected keys, contents and {BUCKETS:,} buckets"
                ". Materialize loan_dataset again"
            ) from None


def summarize_census(facts: Mapping[str, Any]) -> str:
    """For people: how many loans a census in the facts of a dataset counts, and the start of its digest."""
    try:
        loans = f"{Census.from_facts(facts).loans:,} loans"
    except CensusError:
        loans = "buckets that can't be read"
    return f"{loans}, sha256 {compute_sha256(facts)[:12]}…"


@dataclass(frozen=True)
class Difference:
    """What a table has and a dataset lacks, and the other way round, of loans that the dataset's time admits.

    Attributes:
        lacking: loans that the dataset does not hold.
        gone: loans that it holds and the table no longer has.
        changed: loans that it holds with other values, at least; None if that is not known.
        is_estimate: whether `lacking` and `gone` are estimates. If they are not, there are at least so many.
    """

    lacking: int = 0
    gone: int = 0
    changed: int | None = 0
    is_estimate: bool = False


def compare(held: Census | None, rows: int, found: Census) -> Difference:
    """What a table has now against what a dataset holds.

    A bucket with more loans than before has new ones, and one with fewer has lost some. If no bucket has fewer, what is
    more is the answer. If some have fewer, new loans may hide behind loans that are gone. Then the squares say how many
    differ, because each loan of either kind adds one to the sum of the squares on average. The standard error of that
    estimate is 1.1 % of all loans that differ. It counts if it exceeds what is more by three of them, and by a few.

    Args:
        held: the census of the dataset; None if it has none.
        rows: how many rows the dataset has. They are all there is to compare if `held` is None, or not comparable.
        found: the census of the table, of loans that the dataset's time admits.
    """
    if not is_comparable(held, found):
        net = found.loans - rows
        return Difference(max(net, 0), max(-net, 0), None)
    differences = [each for each in map(operator.sub, found.counts, held.counts) if each]
    net, more = sum(differences), sum(max(each, 0) for each in differences)
    if more == net:
        return Difference(more, 0, _count_changed(held, found))
    differing = (sum(each * each for each in differences) - net * net / BUCKETS) / (1 - 1 / BUCKETS)
    estimate = min(round((differing + net) / 2), found.loans)
    standard_error = differing * math.sqrt(2 / BUCKETS) / 2
    is_hidden = estimate > more + max(3 * standard_error, FEW)
    lacking = estimate if is_hidden else more
    return Difference(lacking, lacking - net, _count_changed(held, found), is_hidden)


def is_comparable(held: Census | None, found: Census) -> TypeGuard[Census]:
    """Whether the loans of both were spread over the buckets in the same way."""
    return held is not None and held.keys == found.keys


def _count_changed(held: Census, found: Census) -> int | None:
    """How many groups have as many loans as before in each bucket, and not the same contents: at least so many changed.

    One loan that is gone and one that is new, in one bucket, count as a change too.
    """
    if not held.contents or held.contents != found.contents:
        return None
    differ = [group for group, added in enumerate(found.sums) if added != held.sums[group]]
    groups = (slice(group * GROUP_SIZE, (group + 1) * GROUP_SIZE) for group in differ)
    return sum(held.counts[group] == found.counts[group] for group in groups)
