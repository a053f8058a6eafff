"""A long step in blocks: each block is committed as soon as it is made, and the next attempt continues after the last.

For a step that makes many items of one kind in order, such as the trees of a forest. Its result must not depend on
where blocks begin: a step that was interrupted a hundred times returns the same bytes as one that was not. Nor does it
depend on who makes a block: other runs may help.

Belongs here: which items are made next, and their blocks in the store. Does not belong here: the bytes of a block
(`encoding`), and how many items it has (`pace`).
"""

import logging
import re
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import groupby

from resources.store.blocks.encoding import BlockDamaged, decode_block, encode_block
from resources.store.blocks.pace import choose_size, hold_notices
from resources.store.object_store import ObjectStore
from resources.store.written_once import write_once

log = logging.getLogger(__name__)
NAME = re.compile(r"\d{8}\.\d{2}")
# What `Blocks.log` says of each block that an earlier attempt committed.
FOUND = "an earlier attempt committed them"
Make = Callable[[int, int], list[bytes]]
# The third argument is all items before the first one.
MakeNext = Callable[[int, int, Sequence[bytes]], list[bytes]]


def ignore_commit(_committed: int, _total: int) -> None:
    """Does nothing when a block is committed."""


@dataclass(frozen=True)
class Blocks:
    """The blocks of one step, which all its attempts share.

    A block is an object `<first item>.<number of the try>`. A damaged one is never overwritten; it is made again under
    the next number.

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
        is_helped: whether other runs may help. It then looks for their blocks before it makes one of its own.
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
    is_helped: bool = False
    on_commit: Callable[[int, int], None] = ignore_commit
    log: Callable[[str], None] = log.info
    clock: Callable[[], float] = time.monotonic

    def grow(self, total: int, make: Make) -> list[bytes]:
        """All items: those that are committed, and the rest, which are made now. Each can be made without the others.

        Args:
            total: the number of all items.
            make: `make(start, stop)` returns items start … stop - 1; it is called several times for a block.

        Raises:
            StoreError: the store is denied, full or away.
        """
        return self.chain(total, lambda start, stop, _: make(start, stop))

    def chain(self, total: int, make: MakeNext) -> list[bytes]:
        """As `grow`, for items each of which is made from those before it. Other runs can't help to make them.

        Args:
            total: the number of all items.
            make: as in `grow`; its third argument is items 0 … start - 1, whoever made them.

        Raises:
            StoreError: the store is denied, full or away.
        """
        blocks, size, step = self._list_blocks(), self.at_once, self.at_once
        items: list[bytes] = []
        while (first := len(items)) < total:
            if self.is_helped and first not in blocks:
                blocks = self._list_blocks()
            if block := self._read_first_whole(blocks.get(first, [])):
                items += block
                self.log(f"{len(items):,} of {total:,} {self.items} found: {FOUND}")
                continue
            last = min([total, first + size, *(known for known in blocks if known > first)])
            made, began = list[bytes](), self.clock()
            try:
                with hold_notices() if self.hold_notices else nullcontext([]) as noticed:
                    while (start := first + len(made)) < last and not (made and noticed):
                        made += make(start, min(start + step, last), [*items, *made])
                    took = self.clock() - began
                    items += self._commit(first, made)
            finally:  # a notice ends the step here, and the block that it waited for is reported nevertheless
                if len(items) > first:
                    self.on_commit(len(items), total)
            step = max(self.at_once, round(len(made) * self.notice_seconds * self.at_once / max(took, 1e-6)))
            committing = self.clock() - began - took
            size = choose_size(len(made), took, committing, self.max_share, self.max_seconds, self.at_once)
        return items[:total]

    def help(self, first: int, stop: int, make: Make, is_over: Callable[[], bool] = lambda: False) -> int:
        """Makes items of a part for another run, which makes all from the first to the last.

        It makes them from the end of the part to its begin. So the two meet once, and at most one block is made twice.

        Args:
            first: where the part begins.
            stop: behind its last item.
            make: as in `grow`.
            is_over: whether nobody needs the items any more.

        Returns:
            How many items it made.

        Raises:
            StoreError: the store is denied, full or away.
        """
        end, size, helped = min(self._list_starts(first, stop), default=stop), self.at_once, 0
        while end > first and not is_over():
            begin, began = max(first, end - size), self.clock()
            with hold_notices() if self.hold_notices else nullcontext():
                made = make(begin, end)
                took = self.clock() - began
                self._commit(begin, made)
            helped += len(made)
            size = choose_size(
                len(made), took, self.clock() - began - took, self.max_share, self.max_seconds, self.at_once
            )
            end = first if self._list_starts(first, begin) else begin
        return helped

    def _list_starts(self, first: int, stop: int) -> list[int]:
        """The first items of the blocks that begin in a part."""
        return [start for start in self._list_blocks() if first <= start < stop]

    def _list_blocks(self) -> dict[int, list[str]]:
        """Names of the blocks that earlier attempts committed, by their first item."""
        keys = self.store.list_keys(f"{self.place}/blocks/")
        names = sorted(name for key in keys if NAME.fullmatch(name := key.rsplit("/", 1)[1]))
        return {first: list(tries) for first, tries in groupby(names, key=lambda name: int(name.split(".")[0]))}

    def _read_first_whole(self, names: list[str]) -> list[bytes] | None:
        return next((block for name in names if (block := self._read(name))), None)

    def _commit(self, first: int, made: list[bytes]) -> list[bytes]:
        """Creates the block. If another attempt was first, its items are taken."""
        block = encode_block(made)
        for number in range(100):
            name = f"{first:08d}.{number:02d}"
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
