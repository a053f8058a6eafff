"""Shards: the runs that share one wave. Each scores its share of the locations and leaves its outcomes for the others.

No shard waits for another. Each one's page shows the whole wave, as far as shards have ended. The shard that ends last
judges the wave: it sees the outcomes of all.

Belongs here: what shards tell each other. Does not belong here: which locations a shard scores (`plans`), and which
runs share a wave (`attempts`).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from credit_assets.waves.outcomes import Outcome, describe_outcomes, read_outcomes
from resources.errors import PlatformError
from resources.store.object_store import ObjectMissing, ObjectStore
from resources.store.written_once import write_once


class ShardError(PlatformError):
    """The outcomes of a shard can't be read: says which, and what to do."""


@dataclass(frozen=True)
class Shard:
    """One share of a wave.

    Attributes:
        store: where waves are stored.
        folder: of the wave, in the store.
        number: from 1.
        of: how many there are.
    """

    store: ObjectStore
    folder: str
    number: int
    of: int

    def read_others(self) -> list[Outcome]:
        """The outcomes that other shards have left until now.

        Raises:
            ShardError: what a shard left was changed.
        """
        others = [number for number in range(1, self.of + 1) if number != self.number]
        return [outcome for number in others for outcome in self._read(number) or ()]

    def leave(self, outcomes: Sequence[Outcome]) -> bool:
        """Leaves this shard's outcomes for the others, and returns whether it is the one that ends last.

        It writes first and looks then. So of two shards that end at once, at least one sees all. If both do, the one
        that says so first is the last, and its retry finds that it was.

        Raises:
            ShardError: what a shard left was changed.
            StoreError: the store is full, denied or away.
        """
        if self.of == 1:
            return True
        write_once(self.store, self._key(self.number), json.dumps({"outcomes": describe_outcomes(outcomes)}).encode())
        if any(self._read(number) is None for number in range(1, self.of + 1)):
            return False
        return write_once(self.store, f"{self.folder}/last.json", json.dumps(self.number).encode()).is_ours()

    def _key(self, number: int) -> str:
        return f"{self.folder}/shards/{number}-of-{self.of}.json"

    def _read(self, number: int) -> list[Outcome] | None:
        key = self._key(number)
        try:
            return read_outcomes(json.loads(self.store.read(key)))
        except ObjectMissing:
            return None
        except (ValueError, TypeError, KeyError):
            raise ShardError(
                f"{self.store.location(key)} can't be read as the outcomes of a shard: it was changed. Start a new wave"
            ) from None
