"""The audit of promoted sets: is each set that was ever promoted complete and unchanged?

Belongs here: which sets a report reads whole, and what is wrong with each. Does not belong here: what makes a set
complete (`credit_assets.promotion.model_set`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from credit_assets.promotion.model_set import PARTS, MixtureError, compute_set_digest, read_set, verify_set
from credit_assets.promotion.table_pointer import open_pointer
from resources.store.artifacts import ArtifactError, verify_presence
from resources.store.object_store import ObjectStore
from resources.store.pointers.positions import PointerError, Position


@dataclass(frozen=True)
class Reading:
    """What an earlier audit says of a position.

    Attributes:
        read_at: Unix seconds when its set was read whole for the last time; None: never.
        damaged: whether something was wrong with it.
    """

    read_at: float | None
    damaged: bool


@dataclass(frozen=True)
class Promoted:
    """One position of the pointer.

    Attributes:
        number: of the position.
        promoted_at: Unix seconds.
        damage: what is wrong with its set now; None: nothing.
        read_at: Unix seconds when its set was read whole for the last time; None: never.
    """

    number: int
    promoted_at: float
    damage: str | None = None
    read_at: float | None = None


@dataclass(frozen=True)
class Audit:
    """All positions of the pointer, the latest first, and every damage in words."""

    promoted: Sequence[Promoted] = ()
    damages: Sequence[str] = ()


def audit_promotions(
    store: ObjectStore, table: str, now: float, last: Mapping[int, Reading] | None = None, most: int | None = None
) -> Audit:
    """Looks at every set of a table that was ever promoted, and reads some of them whole.

    Of a set that is not read whole, the manifests are read, and each file must be there with its size. A history that
    can't be read to its end is a damage too.

    Args:
        store: of the artifacts.
        table: whose pointer it is.
        now: Unix seconds.
        last: what the last audit says, by the number of the position.
        most: how many sets are read whole, see `choose_sets`; None: all.

    Raises:
        StoreError: the store is away, or refuses. That is no damage.
    """
    positions, damages = list[Position](), list[str]()
    try:
        for position in open_pointer(store, table).history():
            positions.append(position)
    except PointerError as error:
        damages.append(str(error))
    last = last or {}
    digests = {each.number: compute_set_digest(each) for each in positions}
    chosen, known = choose_sets(digests, last, most), dict[str, str | None]()
    promoted = list[Promoted]()
    for position in positions:
        number, digest = position.number, digests[position.number]
        if digest not in known:
            known[digest] = find_damage(store, position) if digest in chosen else find_absence(store, position)
        read_at = now if digest in chosen else last[number].read_at if number in last else None
        promoted.append(Promoted(number, datetime.fromisoformat(position.at).timestamp(), known[digest], read_at))
    return Audit(promoted, [*(f"number {each.number}: {each.damage}" for each in promoted if each.damage), *damages])


def choose_sets(digests: Mapping[int, str], last: Mapping[int, Reading], most: int | None) -> frozenset[str]:
    """The sets that an audit reads whole: the one in use, the damaged ones, and those that were unread for longest.

    Args:
        digests: the set of each position, by its number, the latest first.
        last: what the last audit says, by the number of the position.
        most: how many are read, 2 or more. It is exceeded only by damaged ones.

    Returns:
        Digests of sets. A set that was promoted several times counts once.
    """
    if most is None:
        return frozenset(digests.values())
    first = [next(iter(digests.values()))] if digests else []
    first += [digest for number, digest in digests.items() if number in last and last[number].damaged]
    read_at = dict[str, float]()
    for number, digest in sorted(digests.items()):
        at = last[number].read_at if number in last else None
        read_at[digest] = max(read_at.get(digest, 0.0), at or 0.0)
    # A sort that keeps the order: of those that were never read, the one that was promoted first comes first.
    waiting = sorted(read_at, key=lambda digest: read_at[digest])
    # At least one, so that many damaged sets keep no other from ever being read.
    room = max(1, most - len(set(first)))
    return frozenset([*first, *[digest for digest in waiting if digest not in first][:room]])


def find_damage(store: ObjectStore, position: Position) -> str | None:
    """Why the set of a position can't be trusted; None if it is complete and unchanged. Reads every byte of it."""
    try:
        verify_set(store, read_set(store, position))
    except (ArtifactError, MixtureError) as error:
        return str(error)
    return None


def find_absence(store: ObjectStore, position: Position) -> str | None:
    """Which manifest of a set was changed, or which file is missing or of another size; None if there is none."""
    try:
        parts = read_set(store, position)
        for name in PARTS:
            verify_presence(store, parts[name].place, parts[name].manifest.files)
    except ArtifactError as error:
        return str(error)
    return None
