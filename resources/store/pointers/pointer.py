"""A pointer that only moves forward: which of many committed things is the one that readers take.

Every position is an object of its own, created only if there is none and never changed; the pointer stands at the
greatest number. A reader sees the old position or the new one, never a mixture. Going back is a move forward to what an
earlier number named.

Whoever moves the pointer names the state that it read. A writer that was frozen between the two and wakes up late finds
the next number taken and is refused. Each position holds the digest of the one before it and of itself, so that a
history that was changed is noticed.

A pointer may continue an older folder, which several pointers once shared. Until its own folder holds a position, it
stands at the newest shared position that is its own. Its first position follows the last shared one, whoever's that is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resources.store.object_store import ObjectStore
from resources.store.pointers.positions import PointerError, Position, Positions


class PointerEmpty(PointerError):
    """Nothing was ever pointed at."""


class NoSuchPosition(PointerError):
    """A number that the pointer never reached."""


class PositionForeign(PointerError):
    """A position, or a value, that belongs to another pointer."""


@dataclass(frozen=True)
class PointerState:
    """What a writer read before it decided.

    Args:
        position: where the pointer stands; None if it was never moved.
        last: the position that the next one follows. It differs from `position` only while the pointer's own folder is
            empty: it is then the last of the shared folder.
    """

    position: Position | None = None
    last: Position | None = None


def accept_all(_: Mapping[str, Any]) -> str | None:
    """For a pointer that shares its folder with no other."""
    return None


@dataclass(frozen=True)
class Pointer:
    """One pointer in a store.

    Args:
        store: where its positions lie.
        folder: of its positions; nothing else writes there.
        shared_folder: the older folder that it continues, if any.
        object_to: given a value, says why it belongs to another pointer; None if it belongs to this one.
    """

    store: ObjectStore
    folder: str
    shared_folder: str | None = None
    object_to: Callable[[Mapping[str, Any]], str | None] = accept_all

    def read_state(self) -> PointerState:
        """Where it stands, and what the next position follows.

        Raises:
            PositionMissing: an earlier number is gone, so that the greatest may not be the latest that there was.
            PositionDamaged: the greatest was changed.
            PositionForeign: its folder holds a position of another pointer.
        """
        if numbers := self._own.list_numbers():
            _refuse_gap(self._own, range(numbers[0], numbers[-1]), numbers)
            if self._shared and numbers[0] > 1:
                _refuse_gap(self._shared, range(1, numbers[0]), self._shared.list_numbers())
            elif numbers[0] > 1:
                raise self._own.missing(1)
            latest = self._find_own(numbers[-1])
            if latest is None:
                raise self._own.missing(numbers[-1])
            return PointerState(latest, latest)
        if self._shared is None or not (numbers := self._shared.list_numbers()):
            return PointerState()
        _refuse_gap(self._shared, range(1, numbers[-1]), numbers)
        last = self._shared.find(numbers[-1])
        if last is None:
            raise self._shared.missing(numbers[-1])
        return PointerState(next(self._walk_back(last), None), last)

    def latest(self) -> Position:
        """Where it stands. Raises PointerEmpty if it was never moved, and as `read_state`."""
        if position := self.read_state().position:
            return position
        raise PointerEmpty(f"{self.store.location(self.folder)} points at nothing: nothing was promoted yet")

    def at(self, number: int) -> Position:
        """A position by its number, of its own folder or of the one that it continues.

        Raises:
            NoSuchPosition: that number is greater than the latest.
            PositionMissing, PositionDamaged: as their names say.
            PositionForeign: that number is another pointer's.
        """
        if position := self._find_own(number):
            return position
        own = self._own.list_numbers()
        state = self.read_state()
        if state.last is None or number > state.last.number:
            latest = f"the latest is {state.position.number}" if state.position else "nothing was promoted yet"
            raise NoSuchPosition(f"There is no promotion {number}; {latest}. The store is {self.store.uri}")
        if self._shared is None or (own and number > own[0]):
            raise self._own.missing(number)
        if position := self._shared.find(number):
            self._refuse_foreign(position.key, position.value)
            return position
        raise self._shared.missing(number)

    def history(self) -> Iterator[Position]:
        """All its positions, the latest first; none if there are none.

        Raises as `read_state`, and PositionDamaged for a history that was changed.
        """
        if last := self.read_state().last:
            yield from self._walk_back(last)

    def move(self, state: PointerState, value: Mapping[str, Any]) -> Position:
        """Moves it one number on from the state that the decision to do so was made on.

        Raises:
            PointerTaken: another writer was first. Read the state, and decide again.
            PositionForeign: the value belongs to another pointer.
        """
        number = state.last.number + 1 if state.last else 1
        self._refuse_foreign(self._own.key(number), value)
        return self._own.create(number, state.last.sha256 if state.last else None, value)

    def list_overlooked(self) -> list[Position]:
        """Its positions that were added to the shared folder after its own folder had begun: nobody reads them.

        Only a program of an older release, which knows no folder but the shared one, adds such a position.
        """
        own = self._own.list_numbers()
        if self._shared is None or not own:
            return []
        late = [self._shared.find(number) for number in self._shared.list_numbers() if number >= own[0]]
        return [position for position in late if position and self.object_to(position.value) is None]

    @property
    def _own(self) -> Positions:
        return Positions(self.store, self.folder)

    @property
    def _shared(self) -> Positions | None:
        return Positions(self.store, self.shared_folder) if self.shared_folder else None

    def _find_own(self, number: int) -> Position | None:
        if position := self._own.find(number):
            self._refuse_foreign(position.key, position.value)
        return position

    def _refuse_foreign(self, key: str, value: Mapping[str, Any]) -> None:
        if objection := self.object_to(value):
            raise PositionForeign(f"{self.store.location(key)} {objection}")

    def _walk_back(self, last: Position) -> Iterator[Position]:
        """This position and all before it that are its own; those of other pointers are verified and left out."""
        position: Position | None = last
        while position:
            if position.key == self._own.key(position.number):
                self._refuse_foreign(position.key, position.value)
            if self.object_to(position.value) is None:
                yield position
            position = self._find_previous(position) if position.number > 1 else None

    def _find_previous(self, later: Position) -> Position:
        """The position that this one was moved from, recognized by its digest."""
        number, folders = later.number - 1, [folder for folder in (self._own, self._shared) if folder]
        found = [(folder, position) for folder in folders if (position := folder.find(number))]
        for _, position in found:
            if position.sha256 == later.previous:
                return position
        if not found:
            raise self._own.missing(number)
        raise found[0][0].damaged(number, "is not the one that the next position was moved from")


def _refuse_gap(positions: Positions, expected: range, numbers: Sequence[int]) -> None:
    if gap := set(expected) - set(numbers):
        raise positions.missing(min(gap))
