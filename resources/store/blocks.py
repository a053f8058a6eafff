"""A long step in blocks: each block is committed as soon as it is made, and the next attempt continues after the last.

For a step that makes many items of one kind in order, such as the trees of a forest. Its result must not depend on
where blocks begin: a step that was interrupted a hundred times returns the same bytes as one that was not.

Belongs here: the size of blocks, their bytes, and notices. Does not belong here: what an item is, and where the step's
place is (`checkpoints`).
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
    """The blocks of one step, which all its attempts share.

    A block is an object `<first item>.<number of the try>`: a line of JSON (`sha256`, `sizes`), then its items. A
    damaged block is never overwritten; it is made again under the next number.

    Args:
        store: where the blocks lie.
        place: of the step's output; it is derived from everything that an item depends on (`Work.place`).
        items: what the items are called in messages, such as `trees`.
        at_once: items that are made at the same time, one on each core; a block has at least as many.
        max_share: the greatest share of the time that committing may take.
        max_seconds: how long a block may take to make, unless `at_once` items take longer. If the worker is lost, so is
            the block.
        notice_seconds: seconds of work for each of `at_once` between two looks for a notice, which ends the block
            early. Each look leaves cores idle until all have finished, so more cores look less often.
        hold_notices: whether a notice waits for the items that are being made. False for items that may take longer
            than a notice allows: the notice then stops the step at once, and the unfinished block is lost.
        on_commit: called after each block with the number of items that are committed, and of all.
        log: called with a sentence for each block that is found, and for each damaged one.
        clock: seconds, by which blocks are measured.
    """

    store: ObjectStore
    place: str
    items: str = "items"
    at_once: int = 1
    max_share: float = 0.02
    max_seconds: float = 2.5
    notice_seconds: float = 0.3
    hold_notices: bool = True
    on_commit: Callable[[int, int], None] = ignore_commit
    log: Callable[[str], None] = log.info
    clock: Callable[[], float] = time.monotonic

    def grow(self, total: int, make: Make) -> list[bytes]:
        """All items: those that are committed, and the rest, which are made now.

        Args:
            total: the number of all items.
            make: `make(start, stop)` returns items start … stop - 1; it is called several times for a block.

        Raises:
            StoreError: the store is denied, full or away.
        """
        blocks, size, step = self._list_blocks(), self.at_once, self.at_once
        items: list[bytes] = []
        while (first := len(items)) < total:
            if block := self._read_first_whole(blocks.get(first, [])):
                items += block
                self.log(f"{len(items):,} of {total:,} {self.items} found: {FOUND}")
                continue
            last = min([total, first + size, *(known for known in blocks if known > first)])
            made, began = list[bytes](), self.clock()
            try:
                with hold_notices() if self.hold_notices else nullcontext([]) as noticed:
                    while (start := first + len(made)) < last and not (made and noticed):
                        made += make(start, min(start + step, last))
                    took = self.clock() - began
                    items += self._commit(first, made)
            finally:  # a notice ends the step here, and the block that it waited for is reported nevertheless
                if len(items) > first:
                    self.on_commit(len(items), total)
            step = max(self.at_once, round(len(made) * self.notice_seconds * self.at_once / max(took, 1e-6)))
            committing = self.clock() - began - took
            size = choose_size(len(made), took, committing, self.max_share, self.max_seconds, self.at_once)
        return items[:total]

    def _list_blocks(self) -> dict[int, list[str]]:
        """Names of the blocks that earlier attempts committed, by their first item."""
        keys = self.store.list_keys(f"{self.place}/blocks/")
        names = sorted(name for key in keys if NAME.fullmatch(name := key.rsplit("/", 1)[1]))
        return {first: list(tries) for first, tries in groupby(names, key=lambda name: int(name.split(".")[0]))}

    def _read_first_whole(self, names: list[str]) -> list[bytes] | None:
        return next((block for name in names if (block := self._read(name))), None)

    def _commit(self, first: int, made: list[bytes]) -> list[bytes]:
        """Creates the block. If another attempt was first, its items are taken."""
        payload = b"".join(made)
        head = {"sha256": compute_sha256(payload), "sizes": [len(item) for item in made]}
        for number in range(100):
            name = f"{first:08d}.{number:02d}"
            block = json.dumps(head).encode() + b"\n" + payload
            if write_once(self.store, f"{self.place}/blocks/{name}", block).created:
                return made
            if items := self._read(name):
                return items
        raise BlockDamaged(
            f"{self.store.location(self.place)}/blocks: 100 blocks of item {first} are damaged: check the disks of the "
            "store, and who may write to it"
        )

    def _read(self, name: str) -> list[bytes] | None:
        """The items of one block; None if it is damaged, which is logged."""
        key = f"{self.place}/blocks/{name}"
        try:
            return decode_block(self.store.read(key))
        except BlockDamaged as error:
            self.log(f"{self.store.location(key)} is damaged and is made again: {error}")
            return None


def decode_block(block: bytes) -> list[bytes]:
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


def choose_size(
    made: int, took: float, committing: float, max_share: float, max_seconds: float, fewest: int = 1
) -> int:
    """Items of the next block: so many that committing is a small share of it, and so few that a loss is short.

    Args:
        made: items of the last block.
        took: seconds that making them took.
        committing: seconds that committing them took.
        max_share: the greatest share of the time that committing may take.
        max_seconds: how long a block may take to make.
        fewest: items that a block has at least.
    """
    wanted = min(max(committing / max_share, max_seconds / 4), max_seconds)
    return max(fewest, min(round(made * wanted / max(took, 1e-6)), made * 16))


@contextmanager
def hold_notices() -> Iterator[list[int]]:
    """Makes SIGTERM wait until the finished items are committed; yields a list that is empty unless one waits."""
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
