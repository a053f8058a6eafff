"""A long step in blocks: each is committed as soon as it is made, and the next attempt goes on behind the last.

For a step that makes many like items in order: trees of a forest, locations to score. What it returns must not depend
on where blocks begin, so that a step that was interrupted a hundred times leaves the same bytes as one that was not.
"""

import json
import logging
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import groupby

from resources.errors import PlatformError
from resources.store.object_store import ObjectStore
from resources.store.written_once import compute_sha256, write_once

log = logging.getLogger(__name__)
NAME = re.compile(r"\d{8}\.\d{2}")
# What `Blocks.log` says of each block that an earlier attempt committed.
FOUND = "an earlier attempt committed them"
Make = Callable[[int, int], list[bytes]]


def ignore_commit(_committed: int, _total: int) -> None:
    """Does nothing when a block is committed."""


class BlockDamaged(PlatformError):
    """A block's bytes are not those that were committed."""


@dataclass(frozen=True)
class Blocks:
    """The blocks of one step, whoever attempts it.

    A block is an object `<first item>.<try>`: a line of JSON (`sha256`, `sizes`), then its items. A damaged one is
    never overwritten; it is made again under the next try.

    Args:
        store: where they lie.
        place: of the work that they belong to; holds everything that an item depends on (`Work.place`).
        items: what the items are called in messages, such as `trees`.
        at_once: items that are made side by side, as on several cores; a block has no fewer.
        share: how much of the time committing may take.
        longest: seconds that a block may take, or its fewest items; all of them lost if its worker is.
        heed: seconds for each of `at_once`, after which a notice is heeded: the block then ends early. To stop and ask
            leaves cores idle, the more of them the longer.
        hold_notices: whether a notice waits for the items that are being made. False for items that may take longer
            than a notice allows: the notice then stops the step at once, and the block that is being made is lost.
        on_commit: called after each block with the number of items that are committed, and of all.
        log: called with a sentence for each block that is found, and for each damaged one.
        clock: seconds, by which blocks are measured.
    """

    store: ObjectStore
    place: str
    items: str = "items"
    at_once: int = 1
    share: float = 0.02
    longest: float = 2.5
    heed: float = 0.3
    hold_notices: bool = True
    on_commit: Callable[[int, int], None] = ignore_commit
    log: Callable[[str], None] = log.info
    clock: Callable[[], float] = time.monotonic

    def grow(self, total: int, make: Make) -> list[bytes]:
        """All items: those that are committed, and the rest made now.

        Args:
            total: how many there are to be.
            make: `make(start, stop)` returns items start … stop - 1; it is called several times for a block.

        Raises:
            StoreError: the store is denied, full or away.
        """
        there, size, each = self._there(), self.at_once, self.at_once
        items: list[bytes] = []
        while (first := len(items)) < total:
            if block := self._first_whole(there.get(first, [])):
                items += block
                self.log(f"{len(items):,} of {total:,} {self.items} found: {FOUND}")
                continue
            last = min([total, first + size, *(known for known in there if known > first)])
            made, began = list[bytes](), self.clock()
            try:
                with hold_notices() if self.hold_notices else nullcontext([]) as noticed:
                    while (behind := first + len(made)) < last and not (made and noticed):
                        made += make(behind, min(behind + each, last))
                    took = self.clock() - began
                    items += self._commit(first, made)
            finally:  # a notice ends the step here, and the block that it waited for is reported nevertheless
                if len(items) > first:
                    self.on_commit(len(items), total)
            each = max(self.at_once, round(len(made) * self.heed * self.at_once / max(took, 1e-6)))
            committing = self.clock() - began - took
            size = next_size(len(made), took, committing, self.share, self.longest, self.at_once)
        return items[:total]

    def _there(self) -> dict[int, list[str]]:
        """Names of the blocks that earlier attempts committed, by their first item."""
        keys = self.store.list_keys(f"{self.place}/blocks/")
        names = sorted(name for key in keys if NAME.fullmatch(name := key.rsplit("/", 1)[1]))
        return {first: list(tries) for first, tries in groupby(names, key=lambda name: int(name.split(".")[0]))}

    def _first_whole(self, names: list[str]) -> list[bytes] | None:
        return next((block for name in names if (block := self._read(name))), None)

    def _commit(self, first: int, made: list[bytes]) -> list[bytes]:
        """Creates the block. If another attempt was before, what that one committed is taken."""
        payload = b"".join(made)
        head = {"sha256": compute_sha256(payload), "sizes": [len(item) for item in made]}
        for number in range(100):
            name = f"{first:08d}.{number:02d}"
            block = json.dumps(head).encode() + b"\n" + payload
            if write_once(self.store, f"{self.place}/blocks/{name}", block).created:
                return made
            if there := self._read(name):
                return there
        raise BlockDamaged(
            f"{self.store.location(self.place)}/blocks: item {first} was damaged 100 times; look at the store"
        )

    def _read(self, name: str) -> list[bytes] | None:
        """The items of one block; None if it is damaged, which is logged."""
        key = f"{self.place}/blocks/{name}"
        try:
            return decode(self.store.read(key))
        except BlockDamaged as error:
            self.log(f"{self.store.location(key)} is damaged and is made again: {error}")
            return None


def decode(block: bytes) -> list[bytes]:
    """The items of a block.

    Raises:
        BlockDamaged: it was truncated or changed.
    """
    line, _, payload = block.partition(b"\n")
    try:
        head = json.loads(line)
        sizes, sha256 = list(map(int, head["sizes"])), head["sha256"]
    except (ValueError, TypeError, KeyError):
        raise BlockDamaged("its first line can't be read") from None
    if compute_sha256(payload) != sha256 or sum(sizes) != len(payload):
        raise BlockDamaged(f"expected {sum(sizes)} bytes with sha256 {str(sha256)[:12]}…, found {len(payload)} others")
    ends = [sum(sizes[: number + 1]) for number in range(len(sizes))]
    return [payload[end - size : end] for end, size in zip(ends, sizes, strict=True)]


def next_size(made: int, took: float, committing: float, share: float, longest: float, fewest: int = 1) -> int:
    """Items of the next block: enough that committing is a small share of it, and few enough that a loss is short."""
    wanted = min(max(committing / share, longest / 4), longest)
    return max(fewest, min(round(made * wanted / max(took, 1e-6)), made * 16))


@contextmanager
def hold_notices() -> Iterator[list[int]]:
    """SIGTERM waits until what there is of a block is committed; the list that this yields says that it waits."""
    waiting: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield waiting
        return
    before = signal.signal(signal.SIGTERM, lambda number, _: waiting.append(number))
    try:
        yield waiting
    finally:
        signal.signal(signal.SIGTERM, before)
        if waiting:
            signal.raise_signal(signal.SIGTERM)
