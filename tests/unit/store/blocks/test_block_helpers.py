"""A run that helps must leave the same items as one that works alone, and must not make the other's items again."""

from collections.abc import Iterator

import pytest

from resources.store.blocks.series import Blocks
from tests.unit.store.blocks.test_blocks import Maker, items, make


@pytest.fixture
def blocks(store) -> Blocks:
    """With a block for each item."""
    return Blocks(store, "place", max_seconds=0, is_helped=True)


def test_a_part_that_was_helped_with_is_not_made_again(blocks) -> None:
    helper, alone = Maker(), Maker()
    assert blocks.help(20, 40, helper) == 20
    assert sorted(helper.calls) == list(range(20, 40))
    assert blocks.grow(40, alone) == items(0, 40)
    assert alone.calls == list(range(20))


def test_a_helper_goes_from_the_end_to_the_begin_and_ends_where_the_other_run_has_come(blocks) -> None:
    helper = Maker()
    blocks.grow(25, Maker())
    assert blocks.help(20, 40, helper) == 0, "the other run works in this part already"
    assert blocks.help(30, 40, helper) == 10
    assert helper.calls == list(range(39, 29, -1))


def test_the_other_run_finds_blocks_that_were_committed_after_it_began(blocks) -> None:
    made: list[int] = []

    def make_and_be_helped(numbers: Iterator[int]) -> Iterator[bytes]:
        for number in numbers:
            if number == 5:
                assert blocks.help(6, 10, make) == 4
            made.append(number)
            yield b"item %d" % number

    assert blocks.grow(10, make_and_be_helped) == items(0, 10)
    assert made[:6] == [0, 1, 2, 3, 4, 5]
    assert len(made) <= 7, "more than the next item was made before the blocks of the helper were found"


def test_a_helper_that_was_lost_goes_on_where_it_was_and_leaves_no_gap_that_nobody_fills(blocks) -> None:
    class Lost(Exception):
        """The helper's worker vanished."""

    def make_some(numbers: Iterator[int]) -> Iterator[bytes]:
        for number in numbers:
            if number < 15:
                raise Lost
            yield b"item %d" % number

    with pytest.raises(Lost):
        blocks.help(10, 20, make_some)
    retry = Maker()
    assert blocks.help(10, 20, retry) == 5
    assert sorted(retry.calls) == [10, 11, 12, 13, 14]
    alone = Maker()
    assert blocks.grow(20, alone) == items(0, 20)
    assert alone.calls == list(range(10))


def test_a_helper_ends_when_nobody_needs_its_items_any_more(blocks) -> None:
    helper = Maker()
    assert blocks.help(0, 40, helper, lambda: len(helper.calls) >= 3) == 3
