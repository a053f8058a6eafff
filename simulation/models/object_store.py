"""The object store: objects in a dict, behind the platform's own `ObjectStore`.

The repeats of a broken write, and what an object that is there already means, are the platform's code.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from credit_assets.promotion.table_pointer import POINTER
from resources.store.object_store import ObjectExists, ObjectMissing, ObjectStore, RequestLost, StoredObject
from simulation.guards import Guard
from simulation.invariants import Watcher
from simulation.loop import Loop
from simulation.models.network import Service

WRITTEN_AT = datetime(2026, 1, 1, tzinfo=UTC)


class Bucket(Service):
    """What lies in the store, and how it is reached."""

    def __init__(self, loop: Loop, off: frozenset[Guard], watcher: Watcher) -> None:
        super().__init__(loop, "the store", RequestLost)
        self.objects, self._off, self._watcher = dict[str, bytes](), off, watcher

    def put(self, key: str, data: bytes) -> None:
        """Creates an object.

        Raises:
            ObjectExists: there is one. Without the guard, a position of the pointer is overwritten.
        """
        may_overwrite = Guard.WRITE_ONCE in self._off and key.startswith(f"{POINTER}/")
        if key in self.objects and not may_overwrite:
            raise ObjectExists(key)
        before = self.objects.get(key)
        self.objects[key] = data
        self._watcher.see_object(key, before, data)

    def get(self, key: str) -> bytes:
        """Reads an object. Raises ObjectMissing if there is none."""
        if key not in self.objects:
            raise ObjectMissing(key)
        return self.objects[key]


@dataclass(frozen=True)
class ModelStore(ObjectStore):
    """The platform's store over a bucket of the world. A broken read is repeated, as the real client does."""

    bucket: Bucket = field(kw_only=True)

    def _create(self, key: str, data: bytes | Path) -> None:
        content = data if isinstance(data, bytes) else data.read_bytes()
        self.bucket.loop.spring_trap()
        self.bucket.ask(lambda: self.bucket.put(key, content))

    def read(self, key: str) -> bytes:
        while True:
            try:
                return self.bucket.ask(lambda: self.bucket.get(key))
            except RequestLost:
                self.bucket.loop.sleep(0.5)

    def pieces(self, key: str) -> Iterator[bytes]:
        yield self.read(key)

    def list_objects(self, prefix: str = "") -> list[StoredObject]:
        folder = f"{prefix.rstrip('/')}/"
        while True:
            try:
                found = self.bucket.ask(
                    lambda: [(key, len(data)) for key, data in self.bucket.objects.items() if key.startswith(folder)]
                )
                return [StoredObject(key, size, WRITTEN_AT) for key, size in sorted(found)]
            except RequestLost:
                self.bucket.loop.sleep(0.5)
