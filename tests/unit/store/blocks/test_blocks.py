"""What a killed worker had committed must be found again, whole or not at all."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import obstore
import pytest

from resources.store.blocks.encoding import BlockDamaged, decode_block
from resources.store.blocks.series import Blocks
from studies.spot_traces.machine import InTurn

# Makes items until it is told to die by itself in the middle of one.
DYING = """
import os, signal, sys
from resources.store.blocks.series import Blocks
from resources.store.opening import open_store
def make(numbers):
    for number in numbers:
        if number >= int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        yield b"item %d" % number
Blocks(open_store(sys.argv[1]), "place", max_seconds=0).grow(50, make)
"""


def make(numbers):
    for number in numbers:
        yield b"item %d" % number


def items(first, last):
    return [*make(range(first, last))]


class Maker:
    """Makes items, and remembers which."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, numbers: Iterator[int]) -> Iterator[bytes]:
        for number in numbers:
            self.calls.append(number)
            yield b"item %d" % number


@pytest.fixture
def made() -> Maker:
    return Maker()


class Counts(list):
    """What is committed after each block, and of how many."""

    def add(self, committed: int, total: int) -> None:
        self.append((committed, total))


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
def messages() -> list[str]:
    return []


@pytest.fixture
def blocks(store, counts, messages) -> Blocks:
    """With a block for each item."""
    return Blocks(store, "place", max_seconds=0, on_commit=counts.add, log=messages.append)


def test_an_item_that_is_made_from_those_before_it_gets_them_whoever_made_them(store) -> None:
    def make(numbers, earlier):
        made = list(earlier)
        for number in numbers:
            assert len(made) == number
            made.append(b"%d after %s" % (number, made[-1][:5] if made else b"none"))
            yield made[-1]

    expected = [*make(range(40), [])]
    blocks = Blocks(store, "place", max_seconds=0)
    assert blocks.chain(7, make) == expected[:7]
    assert blocks.chain(40, make) == expected, "it went on from what an earlier attempt had committed"
    assert Blocks(store, "another place", max_seconds=60).chain(40, make) == expected


def test_all_items_come_in_order_and_each_is_made_once(blocks, made, counts, messages) -> None:
    assert blocks.grow(40, made) == items(0, 40)
    assert made.calls == list(range(40))
    assert counts == [(number, 40) for number in range(1, 41)]
    assert messages == [], "a commit is a number for programs and no sentence"
    assert blocks.grow(40, made) == items(0, 40)
    assert made.calls == list(range(40)), "what was committed was made again"
    assert len(counts) == 40, "what was found was counted as committed again"
    assert messages[-1] == "40 of 40 items found: an earlier attempt committed them"


def test_the_next_attempt_continues_after_the_last_block(blocks, made) -> None:
    with pytest.raises(ZeroDivisionError):
        blocks.grow(40, lambda numbers: (b"item %d" % (number if number < 15 else 1 / 0) for number in numbers))
    assert blocks.grow(40, made) == items(0, 40)
    assert made.calls == list(range(15, 40)), "what was committed was made again"


def test_a_worker_that_was_killed_leaves_its_blocks(tmp_path, made) -> None:
    from resources.store.opening import open_store

    uri = (tmp_path / "store").as_uri()
    assert subprocess.run([sys.executable, "-c", DYING, uri, "20"], check=False).returncode == -signal.SIGKILL
    blocks = Blocks(open_store(uri), "place")
    assert blocks.grow(50, made) == items(0, 50)
    assert made.calls[0] in {19, 20}, "more was lost than the block that was being committed"
    assert made.calls == list(range(made.calls[0], 50))


def test_of_two_attempts_at_once_the_first_to_commit_is_taken_by_both(blocks) -> None:
    def beaten(numbers):
        for number in numbers:
            if number == 0:
                blocks.grow(3, lambda numbers: (b"rival %d" % number for number in numbers))
            yield b"item %d" % number

    assert blocks.grow(6, beaten) == [b"rival 0", b"rival 1", b"rival 2", *items(3, 6)]


@pytest.mark.parametrize("damage", ["changed", "truncated", "emptied", "not a block"])
def test_a_damaged_block_is_reported_and_made_again(blocks, made, messages, damage) -> None:
    blocks.grow(8, make)
    key = sorted(key for key in blocks.store.list_keys("place"))[2]
    whole = blocks.store.read(key)
    broken = {
        "changed": whole[:-1] + b"!",
        "truncated": whole[:-1],
        "emptied": b"",
        "not a block": b"something\nelse",
    }[damage]
    obstore.put(blocks.store.client, key, broken)
    assert blocks.grow(8, made) == items(0, 8)
    assert made.calls == [2], "a damaged block was taken for whole, or whole ones were made again"
    assert [line for line in messages if f"{key} is damaged" in line]
    assert blocks.store.read(key) == broken, "evidence was overwritten"
    assert blocks.grow(8, made) == items(0, 8)
    assert made.calls == [2], "what was made again is not found again"


def test_a_block_that_is_whole_is_read_as_it_was_written(blocks) -> None:
    blocks.grow(1, lambda _: [b"\n\x00 any bytes"])
    assert blocks.grow(1, make) == [b"\n\x00 any bytes"]
    with pytest.raises(BlockDamaged):
        decode_block(b"")


def test_blocks_are_as_long_as_the_clock_that_they_are_given_says(store, counts, slowly) -> None:
    make, read_clock = slowly(0.5)
    Blocks(store, "simulated", beside=InTurn, on_commit=counts.add, clock=read_clock).grow(16, make)
    assert len(counts) == 16, "committing took nothing: 0.625 s, one item"
    longer = Blocks(store, "longer", max_seconds=10, beside=InTurn, on_commit=counts.add, clock=read_clock)
    longer.grow(16, make)
    assert counts[16:] == [(1, 16), (6, 16), (11, 16), (16, 16)], "a quarter of 10 s"


@pytest.fixture
def heard():
    """The notices that were heeded; none ends the test."""
    notices: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: notices.append(number))
    yield notices
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def slowly():
    """Makes what makes items and lets time pass, and the clock of that time."""

    def prepare(seconds: float):
        now = 0.0

        def make_slowly(numbers):
            nonlocal now
            for number in numbers:
                now += seconds
                yield b"item %d" % number

        return make_slowly, lambda: now

    return prepare


def test_a_notice_ends_a_block_early_and_what_there_is_of_it_is_committed(store, counts, heard) -> None:
    def ends_the_step(number, _) -> None:
        heard.append(number)
        raise KeyboardInterrupt

    def noticed(numbers):
        for number in numbers:
            assert not heard, "the notice was heeded before the items were made"
            if number == 9:
                os.kill(os.getpid(), signal.SIGTERM)
            yield b"item %d" % number

    signal.signal(signal.SIGTERM, ends_the_step)
    with pytest.raises(KeyboardInterrupt):
        Blocks(store, "p", max_seconds=60, on_commit=counts.add).grow(100, noticed)
    assert counts[-1] == (10, 100), "no item more is made once a notice is there, and those that are made are committed"
    assert heard, "the notice was lost"


def test_a_block_that_a_notice_ended_early_is_gone_on_from(store, counts, made, heard) -> None:
    blocks = Blocks(store, "p", max_seconds=0, on_commit=counts.add)
    blocks.grow(3, made)

    def noticed(numbers):
        for number in numbers:
            os.kill(os.getpid(), signal.SIGTERM)
            yield b"item %d" % number

    Blocks(store, "p", on_commit=counts.add).grow(5, noticed)
    assert len(heard) == 2, "a notice was lost"
    assert blocks.grow(9, made) == items(0, 9)
    assert made.calls == [0, 1, 2, 5, 6, 7, 8]


def test_what_is_committed_at_a_notice_is_counted_although_the_step_ends_there(store, counts, heard) -> None:
    def ends_the_step(*_: object) -> None:
        raise KeyboardInterrupt

    def noticed(numbers):
        for number in numbers:
            os.kill(os.getpid(), signal.SIGTERM)
            yield b"item %d" % number

    signal.signal(signal.SIGTERM, ends_the_step)
    with pytest.raises(KeyboardInterrupt):
        Blocks(store, "p", on_commit=counts.add).grow(5, noticed)
    assert counts == [(1, 5)]
    counts.clear()
    with pytest.raises(ZeroDivisionError):
        Blocks(store, "q", on_commit=counts.add).grow(5, lambda numbers: (b"%d" % (number // 0) for number in numbers))
    assert counts == [], "what was not committed was counted"


def test_a_notice_stops_items_at_once_that_take_longer_than_it_allows(store, counts) -> None:
    """A fold of a cross-validation may take minutes; a worker that waits for it is killed, and looks lost."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    def noticed(numbers):
        for number in numbers:
            if number == 2:
                os.kill(os.getpid(), signal.SIGTERM)
                raise AssertionError("the notice waited for the item")
            yield b"item %d" % number

    before = signal.signal(signal.SIGTERM, stop)
    try:
        with pytest.raises(KeyboardInterrupt):
            Blocks(store, "p", max_seconds=0, hold_notices=False, on_commit=counts.add).grow(5, noticed)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert counts == [(1, 5), (2, 5)], "what was committed before was lost or counted again"
