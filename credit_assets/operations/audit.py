"""The audit of promoted sets: is each set that was ever promoted complete and unchanged?

Belongs here: reading every position of the pointer and every file that it names. Does not belong here: what makes a set
complete (`credit_assets.promotion.model_set`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from credit_assets.promotion.model_set import MixtureError, compute_set_digest, read_set, verify_set
from credit_assets.promotion.table_pointer import open_pointer
from resources.store.artifacts import ArtifactError
from resources.store.object_store import ObjectStore
from resources.store.pointers.positions import PointerError, Position


@dataclass(frozen=True)
class Promoted:
    """One position of the pointer.

    Attributes:
        number: of the position.
        promoted_at: Unix seconds.
        damage: what is wrong with its set now; None: nothing.
    """

    number: int
    promoted_at: float
    damage: str | None = None


@dataclass(frozen=True)
class Audit:
    """All positions of the pointer, the latest first, and every damage in words."""

    promoted: Sequence[Promoted] = ()
    damages: Sequence[str] = ()


def audit_promotions(store: ObjectStore, table: str) -> Audit:
    """Reads every file of every set of a table that was ever promoted.

    A history that can't be read to its end is a damage too.

    Raises:
        StoreError: the store is away, or refuses. That is no damage.
    """
    promoted, known, unreadable = [], dict[str, str | None](), []
    try:
        for position in open_pointer(store, table).history():
            digest = compute_set_digest(position)
            if digest not in known:
                known[digest] = find_damage(store, position)
            promoted_at = datetime.fromisoformat(position.at).timestamp()
            promoted.append(Promoted(position.number, promoted_at, known[digest]))
    except PointerError as error:
        unreadable.append(str(error))
    return Audit(promoted, [*(f"number {each.number}: {each.damage}" for each in promoted if each.damage), *unreadable])


def find_damage(store: ObjectStore, position: Position) -> str | None:
    """Why the set of a position can't be trusted; None if it is complete and unchanged."""
    try:
        verify_set(store, read_set(store, position))
    except (ArtifactError, MixtureError) as error:
        return str(error)
    return None
