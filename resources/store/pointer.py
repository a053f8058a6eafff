"""A pointer that only moves forward: which of many committed things is the one that readers take.

Every position is an object of its own, `<name>/<number:08d>.json`, created only if there is none and never changed; the
greatest number is where the pointer stands. A reader sees the old position or the new one, never a mixture. Going back
is a move forward to what an earlier number named.

Whoever moves says which position it saw. A writer that was frozen between the two and wakes up late finds the next
number taken and is refused. Each position holds the digest of the one before it, and of itself, so that a history that
was changed is told from one that was not.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from resources.errors import PlatformError
from resources.store.object_store import ObjectMissing, ObjectStore
from resources.store.written_once import compute_sha256, write_once

POINTER_VERSION = 1


class PointerError(PlatformError):
    """A pointer can't be read or moved: says which position, and what to do."""


class PointerEmpty(PointerError):
    """Nothing was ever pointed at."""


class PositionMissing(PointerError):
    """A position is not there although a later one is, or was asked for by its number."""


class PositionDamaged(PointerError):
    """A position was changed after it was written, or is of a version that is not read here."""


class PointerTaken(PointerError):
    """Another writer moved the pointer since it was looked at; where that one put it stands."""


@dataclass(frozen=True)
class Position:
    """Where the pointer stands, or stood: what `value` says since `at` (UTC, ISO 8601); `previous` is a digest."""

    number: int
    value: Mapping[str, Any]
    at: str
    sha256: str
    previous: str | None


@dataclass(frozen=True)
class Pointer:
    """The pointer of that name in a store; `name` is a folder that nothing else writes to."""

    store: ObjectStore
    name: str

    def key(self, number: int) -> str:
        return f"{self.name}/{number:08d}.json"

    def latest(self) -> Position:
        """Where it stands.

        Raises:
            PointerEmpty: it was never moved.
            PositionMissing: an earlier number is gone, so that the greatest may not be the latest that there was.
            PositionDamaged: the greatest was changed.
        """
        keys, pattern = self.store.list_keys(self.name), rf"{re.escape(self.name)}/(\d{{8}})\.json"
        numbers = sorted(int(found[1]) for key in keys if (found := re.fullmatch(pattern, key)))
        if not numbers:
            raise PointerEmpty(f"{self.store.location(self.name)} points at nothing: nothing was promoted yet")
        gaps = set(range(1, numbers[-1])) - set(numbers)
        if gaps:
            raise self._missing(min(gaps))
        return self.at(numbers[-1])

    def latest_or_none(self) -> Position | None:
        """Where it stands; None only if it was never moved, and raises as `latest` for what is missing or damaged."""
        try:
            return self.latest()
        except PointerEmpty:
            return None

    def at(self, number: int) -> Position:
        """A position by its number.

        Raises:
            PositionMissing, PositionDamaged: as their names say.
        """
        try:
            data = self.store.read(self.key(number))
        except ObjectMissing:
            raise self._missing(number) from None
        return self._decoded(number, data)

    def history(self) -> Iterator[Position]:
        """All positions, the latest first; none if there are none. Raises as `latest`, and for a changed history."""
        position = self.latest_or_none()
        while position:
            yield position
            later, position = position, self.at(position.number - 1) if position.number > 1 else None
            if position and position.sha256 != later.previous:
                raise self._damaged(position.number, "is not the one that the next position was moved from")

    def move(self, seen: Position | None, value: Mapping[str, Any]) -> Position:
        """Moves it one number on from the position that the decision to do so was taken at.

        Raises:
            PointerTaken: another writer was first. Look at the latest, and decide again.
        """
        number = seen.number + 1 if seen else 1
        body = {
            "pointer_version": POINTER_VERSION,
            "number": number,
            "previous": seen.sha256 if seen else None,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "value": value,
        }
        data = json.dumps(body | {"sha256": compute_sha256(body)}, indent=1, sort_keys=True).encode()
        if not write_once(self.store, self.key(number), data).created:
            raise PointerTaken(
                f"{self.store.location(self.key(number))} is there already: another writer moved the pointer on from "
                f"number {number - 1} first. Look at the latest position and decide again"
            )
        return self._decoded(number, data)

    def _decoded(self, number: int, data: bytes) -> Position:
        try:
            body = json.loads(data)
            written, version = body.pop("sha256"), body["pointer_version"]
        except (ValueError, TypeError, KeyError, AttributeError):
            raise self._damaged(number, "can't be read as a position: it was changed after it was written") from None
        if version != POINTER_VERSION:
            raise self._damaged(number, f"has pointer version {version}; this release reads {POINTER_VERSION}")
        if written != compute_sha256(body) or body["number"] != number:
            raise self._damaged(number, "was changed after it was written")
        return Position(number, body["value"], body["at"], written, body["previous"])

    def _missing(self, number: int) -> PositionMissing:
        return PositionMissing(
            f"{self.store.location(self.key(number))} is not there: it was never written, or was deleted since. "
            "If it was written, bring it back from the bucket's versions or a copy: nothing is moved until then"
        )

    def _damaged(self, number: int, what: str) -> PositionDamaged:
        return PositionDamaged(
            f"{self.store.location(self.key(number))} {what}. Bring it back from the bucket's versions or a copy; "
            "nothing is moved until it is as it was written"
        )
