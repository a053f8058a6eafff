"""The layout of the store: what an object is, by its key.

Belongs here: the forms of keys, which `resources.store` and the waves give their objects. Does not belong here: whether
an object is still needed (`kept_artifacts`, `endings`).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from credit_assets.promotion.table_pointer import POINTER
from credit_assets.retention.removal import Amount
from credit_assets.waves.plans.making import WAVE
from credit_assets.waves.record import LOCATION_SCORES
from resources.store.artifacts import MANIFEST
from resources.store.object_store import StoredObject

# Assets whose artifacts are about one wave.
WAVE_ASSETS = {WAVE, LOCATION_SCORES}


class Kind(StrEnum):
    """What an object is. In this order they are deleted: an artifact stops to exist before its files go."""

    MANIFEST = "manifest"
    FILE = "file"
    BLOCK = "block, or the order for those who help to make blocks"
    WAVE = "plan, outcomes or logs of a wave"
    POSITION = "position"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Item:
    """An object, and what its key says.

    Attributes:
        object: as the store lists it.
        kind: what it is.
        owner: the root run, or the id of a wave; empty for what belongs to no run.
        asset: its key, parts joined by `/`.
        place: of an artifact.
    """

    object: StoredObject
    kind: Kind
    owner: str = ""
    asset: str = ""
    place: str = ""

    @property
    def key(self) -> str:
        """Its key in the store."""
        return self.object.key


RUN = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
OF_AN_ARTIFACT = re.compile(
    rf"(?P<place>(?P<asset>[^/]+(?:/[^/]+)*)/(?P<owner>{RUN})/[0-9a-f]{{16}})/"
    rf"(?:(?P<manifest>{re.escape(MANIFEST)})|(?P<block>(?:[^/]+/)?blocks/\d{{8}}\.\d{{2}}|order\.json)|"
    r"[^/]+\.[0-9a-f]{12}(?:\.[^/.]+)?)"
)
OF_A_WAVE = re.compile(
    rf"(?P<asset>{WAVE}|{LOCATION_SCORES})/(?P<owner>[^/]+)/"
    r"(?:plan\.json|last\.json|shards/\d+-of-\d+\.json|failed/[0-9a-f]{16}\.log)"
)
OF_A_POINTER = re.compile(rf"{POINTER}/(?:[^/]+/)?\d{{8}}\.json")


def recognize(stored: StoredObject) -> Item:
    """What an object is. It is UNKNOWN unless the whole key has a form that the platform writes."""
    if OF_A_POINTER.fullmatch(stored.key):
        return Item(stored, Kind.POSITION)
    if stored.key.startswith(f"{POINTER}/"):
        return Item(stored, Kind.UNKNOWN)
    if found := OF_A_WAVE.fullmatch(stored.key):
        return Item(stored, Kind.WAVE, found["owner"], found["asset"])
    if found := OF_AN_ARTIFACT.fullmatch(stored.key):
        kind = Kind.MANIFEST if found["manifest"] else Kind.BLOCK if found["block"] else Kind.FILE
        return Item(stored, kind, found["owner"], found["asset"], found["place"])
    return Item(stored, Kind.UNKNOWN)


def measure_items(items: Iterable[Item]) -> Amount:
    """The number of these objects, and their bytes."""
    sizes = [each.object.bytes for each in items]
    return Amount(len(sizes), sum(sizes))
