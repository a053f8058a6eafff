"""A commit beside the work must lose no more work than one in turn, hide no error, and leave no thread behind."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from resources.store.blocks.commits import Commits
from resources.store.blocks.series import Blocks
from resources.store.blocks.side_by_side import make_side_by_side
from resources.store.object_store import ObjectStore, StoreError
from tests.unit.store.blocks.test_blocks import items, make

SOON = 10


class GuardedStore(ObjectStore):
    """Creates an object when it may, or refuses to."""

    may_create = threading.Event()
    is_full = False

    def create(self, key, data) -> None:
        assert self.may_create.wait(SOON), "nobody lets the commit go on"
        if self.is_full:
            raise StoreError(f"can't create {key}: Free space there")
        super().create(key, data)


@pytest.fixture
def guarded(store) -> GuardedStore:
    guarded = GuardedStore(store.uri, store.client)
    object.__setattr__(guarded, "may_create", threading.Event())
    return guarded


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    ours = [thread.name for thread in threading.enumerate() if thread.name.startswith(("commit", "make"))]
    assert ours == [], "something is left running"


def test_a_block_is_committed_while_the_next_one_is_made(guarded) -> None:
    reported: list[int] = []

    def let_the_first_commit_go_on(numbers: Iterator[int]) -> Iterator[bytes]:
        for number in numbers:
            assert reported == [] or guarded.may_create.is_set(), "reported before it was committed"
            if number == 3:
                guarded.may_create.set()
            yield b"item %d" % number

    blocks = Blocks(guarded, "place", max_seconds=60, on_commit=lambda committed, _: reported.append(committed))
    assert blocks.grow(5, let_the_first_commit_go_on) == items(0, 5)
    assert reported == [1, 5]


def test_a_commit_that_fails_stops_the_step_with_its_error_and_is_not_reported(guarded) -> None:
    reported, made = list[int](), list[int]()

    def count(numbers: Iterator[int]) -> Iterator[bytes]:
        for number in numbers:
            made.append(number)
            if number == 3:
                object.__setattr__(guarded, "is_full", True)
            yield b"item %d" % number

    guarded.may_create.set()
    blocks = Blocks(guarded, "place", max_seconds=0, on_commit=lambda committed, _: reported.append(committed))
    with pytest.raises(StoreError, match="Free space"):
        blocks.grow(100, count)
    assert set(reported) <= {1, 2, 3}
    assert len(made) <= 6, "the step went on after it could not save"


def test_a_last_commit_that_fails_is_no_success(guarded) -> None:
    object.__setattr__(guarded, "is_full", True)
    guarded.may_create.set()
    with pytest.raises(StoreError, match="Free space"):
        Blocks(guarded, "place").grow(1, make)

    def fail(_first: int, _made: list[bytes]) -> list[bytes]:
        raise StoreError("Free space there")

    with (
        pytest.raises(StoreError, match="Free space"),
        Commits(fail, lambda *_: pytest.fail("reported although it failed")) as commits,
    ):
        commits.begin(0, [b"item 0"])


def test_an_error_of_the_step_stays_its_error_and_names_the_commit_that_failed_too(guarded) -> None:
    object.__setattr__(guarded, "is_full", True)

    def breaks(numbers: Iterator[int]) -> Iterator[bytes]:
        yield b"item %d" % next(numbers)
        guarded.may_create.set()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as raised:
        Blocks(guarded, "place", max_seconds=0).grow(3, breaks)
    # The loop may have seen the failed commit before the items broke.
    assert any("Free space" in note for note in raised.value.__notes__)


def test_the_work_at_risk_is_never_more_than_it_may_be(store) -> None:
    now, committed_at, risks = 0.0, [0.0], list[float]()

    def make_and_measure(numbers: Iterator[int]) -> Iterator[bytes]:
        nonlocal now
        for number in numbers:
            now += 0.1
            risks.append(0.1 * (number + 1) - committed_at[-1])
            yield b"item %d" % number

    class SlowStore(ObjectStore):
        """Takes so long that a block has the greatest length."""

        def create(self, key, data) -> None:
            nonlocal now
            now += 0.5
            super().create(key, data)

    blocks = Blocks(
        SlowStore(store.uri, store.client),
        "place",
        on_commit=lambda committed, _: committed_at.append(0.1 * committed),
        clock=lambda: now,
    )
    assert blocks.grow(200, make_and_measure) == items(0, 200)
    assert max(risks) <= blocks.max_seconds + 0.01
    assert len(committed_at) < 40, "blocks were so short that they cost too much"


def test_a_helper_commits_beside_its_work_and_fails_if_that_fails(guarded) -> None:
    guarded.may_create.set()
    blocks = Blocks(guarded, "place", max_seconds=0)
    assert blocks.help(3, 9, make) == 6
    object.__setattr__(guarded, "is_full", True)
    with pytest.raises(StoreError, match="Free space"):
        replace(blocks, place="another").help(3, 9, make)


def test_no_thread_waits_until_another_has_made_its_item() -> None:
    """Or the cores are idle whenever one item takes longer than the others."""
    others = threading.Event()

    def make_one(number: int) -> bytes:
        if number == 0:
            assert others.wait(SOON), "the other thread waits for the first item"
        if number == 3:
            others.set()
        return b"item %d" % number

    assert [*make_side_by_side(make_one, iter(range(20)), 2)] == items(0, 20)


def test_items_that_nobody_takes_are_not_made_without_end() -> None:
    made: list[int] = []

    def make_one(number: int) -> bytes:
        made.append(number)
        return b"item %d" % number

    taken = make_side_by_side(make_one, iter(range(1_000)), 2)
    assert next(taken) == b"item 0"
    taken.close()  # pyright: ignore[reportAttributeAccessIssue]
    assert len(made) <= 5


@pytest.mark.parametrize("broken", ["an item", "the numbers"])
def test_an_item_that_can_not_be_made_is_an_error_and_not_a_short_list(broken: str) -> None:
    def count() -> Iterator[int]:
        yield from range(5)
        if broken == "the numbers":
            raise ZeroDivisionError
        yield 5

    def make_one(number: int) -> bytes:
        return b"item %d" % (1 / 0 if number == 5 else number)

    with pytest.raises(ZeroDivisionError):
        list(make_side_by_side(make_one, count(), 3))
