"""A long step in blocks: each block is committed as soon as it is made, and the next attempt continues after the last.

For a step that makes many items of one kind in order, such as the trees of a forest. Its result must not depend on
where blocks begin: a step that was interrupted a hundred times returns the same bytes as one that was not. Nor does it
depend on who makes a block: other runs may help.

Belongs here: which items are made next, and their blocks in the store. Does not belong here: the bytes of a block
(`encoding`), when it is due (`pace`), and the thread that commits it (`commits`).
"""

import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import groupby

from resources.store.blocks.commits import Beside, Commits, use_a_thread
from resources.store.blocks.encoding import BlockDamaged, decode_block, encode_block
from resources.store.blocks.pace import choose_seconds, choose_size, hold_notices, is_due
from resources.store.object_store import ObjectExists, ObjectStore

log = logging.getLogger(__name__)
NAME = re.compile(r"\d{8}\.\d{2}")
# What `Blocks.log` says of each block that an earlier attempt committed.
FOUND = "an earlier attempt committed them"
# Makes the items of the numbers, which follow each other. It takes a number when it can begin with the item.
Make = Callable[[Iterator[int]], Iterable[bytes]]
# The second argument is all items before the first number.
MakeNext = Callable[[Iterator[int], Sequence[bytes]], Iterable[bytes]]


# Names of the blocks in the store, by their first item.
Known = dict[int, list[str]]


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
        at_once: items that `help` makes at the same time, one on each core; a block of it has at least as many.
        max_share: the greatest share of the time that committing may take.
        max_seconds: how much work is lost at most if the worker is, unless one item takes longer: the block that is
            committed and the one that is made meanwhile.
        hold_notices: whether a notice waits for the items that are being made. False for items that may take longer
            than a notice allows: the notice then stops the step at once, and the unfinished block is lost.
        is_helped: whether other runs may help. It then looks for their blocks whenever it has committed one of its own.
        beside: opens what a block is committed in while the next one is made.
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
    hold_notices: bool = True
    is_helped: bool = False
    beside: Beside = use_a_thread
    on_commit: Callable[[int, int], None] = ignore_commit
    log: Callable[[str], None] = log.info
    clock: Callable[[], float] = time.monotonic

    def grow(self, total: int, make: Make) -> list[bytes]:
        """All items: those that are committed, and the rest, which are made now. Each can be made without the others.

        Args:
            total: the number of all items.
            make: makes items by their numbers.

        Raises:
            StoreError: the store is denied, full or away.
        """
        return self.chain(total, lambda numbers, _: make(numbers))

    def chain(self, total: int, make: MakeNext) -> list[bytes]:
        """As `grow`, for items each of which is made from those before it. Other runs can't help to make them.

        Args:
            total: the number of all items.
            make: as in `grow`; its second argument is the items before the first number, whoever made them.

        Raises:
            StoreError: the store is denied, full or away.
        """
        known = self._list_blocks()
        items: list[bytes] = []
        while (first := len(items)) < total:
            if block := self._read_first_whole(known.get(first, [])):
                items += block
                self.log(f"{len(items):,} of {total:,} {self.items} found: {FOUND}")
            else:
                known = self._fill_gap(items, total, known, make)
        return items[:total]

    def _fill_gap(self, items: list[bytes], total: int, known: Known, make: MakeNext) -> Known:
        """Makes items up to the next block that is known, or until a notice, and appends those that are committed.

        If another attempt committed a block first, its items are taken, and what was made after ours is made again.

        Returns:
            The blocks that are known by then.
        """
        committed, is_beaten = len(items), False

        def commit(first: int, made: list[bytes]) -> list[bytes]:
            nonlocal known
            standing = self._commit(first, made)
            known = self._list_blocks() if self.is_helped else known
            return standing

        def report(made: list[bytes], standing: list[bytes]) -> None:
            nonlocal is_beaten
            items.extend(standing)
            is_beaten = is_beaten or standing != made
            self.on_commit(len(items), total)

        def count() -> Iterator[int]:
            number = committed
            while number < total and not (noticed or is_beaten or (number > committed and number in known)):
                yield number
                number += 1

        with Commits(commit, report, self.beside, self.clock) as commits, self._hold() as noticed:
            made, begun, began = list[bytes](), committed, self.clock()
            for item in make(count(), [*items]):
                made.append(item)
                commits.settle(only_if_done=True)
                if is_due(len(made), self.clock() - began, self._choose_seconds(commits)):
                    commits.settle()
                    if not is_beaten:
                        commits.begin(begun, made)
                    made, begun, began = [], begun + len(made), self.clock()
            commits.settle()
            if made and not is_beaten:
                commits.begin(begun, made)
        return known

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
        with Commits(self._commit, lambda *_: None, self.beside, self.clock) as commits:
            while end > first and not is_over():
                begin, began = max(first, end - size), self.clock()
                with self._hold():
                    made = [*make(iter(range(begin, end)))]
                    took = self.clock() - began
                    commits.begin(begin, made)
                helped += len(made)
                size = choose_size(len(made), took, self._choose_seconds(commits), self.at_once)
                end = first if self._list_starts(first, begin) else begin
        return helped

    def _hold(self) -> AbstractContextManager[list[int]]:
        return hold_notices() if self.hold_notices else nullcontext([])

    def _choose_seconds(self, commits: Commits) -> float:
        return choose_seconds(commits.seconds, self.max_share, self.max_seconds)

    def _list_starts(self, first: int, stop: int) -> list[int]:
        """The first items of the blocks that begin in a part."""
        return [start for start in self._list_blocks() if first <= start < stop]

    def _list_blocks(self) -> Known:
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
            try:
                self.store.create(f"{self.place}/blocks/{name}", block)
            except ObjectExists:
                if items := self._read(name):
                    return items
            else:
                return made
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
