"""Numbered positions in a folder of the store: each is an object that is created once and never changed.

Belongs here: the bytes of a position, and reading one only if it is as it was written. Does not belong here: which
position stands, and which folders belong together (`pointer`).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from resources.errors import PlatformError
from resources.store.object_store import ObjectMissing, ObjectStore
from resources.store.written_once import compute_sha256, write_once

POSITION_VERSION = 1


class PointerError(PlatformError):
    """A pointer can't be read or moved: says which position, and what to do."""


class PositionMissing(PointerError):
    """A position is not there although a later one is, or was asked for by its number."""


class PositionDamaged(PointerError):
    """A position was changed after it was written, or is of a version that this release does not read."""


class PointerTaken(PointerError):
    """Another writer moved the pointer after this one had read it; the other writer's position stands."""


@dataclass(frozen=True)
class Position:
    """One position of a pointer.

    Args:
        key: of its object in the store.
        number: 1 or more.
        value: what the pointer names, as JSON.
        at: when it was written, UTC, ISO 8601.
        sha256: digest of the position itself.
        previous: digest of the position before it; None for the first.
    """

    key: str
    number: int
    value: Mapping[str, Any]
    at: str
    sha256: str
    previous: str | None


def encode_position(number: int, previous: str | None, value: Mapping[str, Any], at: datetime) -> bytes:
    """A position as an object's bytes; its own SHA-256 stands in it, so that damage is noticed."""
    body = {
        "pointer_version": POSITION_VERSION,
        "number": number,
        "previous": previous,
        "at": at.isoformat(timespec="milliseconds"),
        "value": value,
    }
    return json.dumps(body | {"sha256": compute_sha256(body)}, indent=1, sort_keys=True).encode()


def decode_position(key: str, number: int, data: bytes) -> Position:
    """The position that the bytes under a key are, if they are the one of that number.

    Raises:
        PositionDamaged: they are not a position, or not this one; says only what is wrong, the caller knows where.
    """
    try:
        body = json.loads(data)
        written, version = body.pop("sha256"), body["pointer_version"]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise PositionDamaged("can't be read as a position: it was changed after it was written") from None
    if version != POSITION_VERSION:
        raise PositionDamaged(f"has pointer version {version}; this release reads {POSITION_VERSION}")
    if written != compute_sha256(body) or body["number"] != number:
        raise PositionDamaged("was changed after it was written")
    return Position(key, number, body["value"], body["at"], written, body["previous"])


@dataclass(frozen=True)
class Positions:
    """The positions `<folder>/<number:08d>.json`; other objects below the folder are none of them."""

    store: ObjectStore
    folder: str

    def key(self, number: int) -> str:
        return f"{self.folder}/{number:08d}.json"

    def location(self, number: int) -> str:
        """The URI of one position."""
        return self.store.location(self.key(number))

    def list_numbers(self) -> Sequence[int]:
        """All numbers that are there, the smallest first."""
        pattern = rf"{re.escape(self.folder)}/(\d{{8}})\.json"
        keys = self.store.list_keys(self.folder)
        return sorted(int(found[1]) for key in keys if (found := re.fullmatch(pattern, key)))

    def find(self, number: int) -> Position | None:
        """A position by its number; None if there is none. Raises PositionDamaged if it was changed."""
        try:
            data = self.store.read(self.key(number))
        except ObjectMissing:
            return None
        try:
            return decode_position(self.key(number), number, data)
        except PositionDamaged as error:
            raise self.damaged(number, str(error)) from None

    def create(self, number: int, previous: str | None, value: Mapping[str, Any]) -> Position:
        """Writes a position.

        Raises:
            PointerTaken: another writer was first.
        """
        data = encode_position(number, previous, value, datetime.now(UTC))
        if not write_once(self.store, self.key(number), data).created:
            raise PointerTaken(
                f"{self.location(number)} is there already: another writer moved the pointer first. "
                "Read the latest position and decide again"
            )
        return decode_position(self.key(number), number, data)

    def missing(self, number: int) -> PositionMissing:
        """The error for a position that should be there."""
        return PositionMissing(
            f"{self.location(number)} is not there: it was deleted. Bring it back from the bucket's versions or a "
            "copy. Until then nothing is promoted"
        )

    def damaged(self, number: int, damage: str) -> PositionDamaged:
        """The error for a position that can't be trusted."""
        return PositionDamaged(
            f"{self.location(number)} {damage}. Bring it back from the bucket's versions or a copy. "
            "Until then nothing is promoted"
        )
