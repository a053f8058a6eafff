"""A pointer that moves back, or that two writers move at once, publishes a model that nobody decided on."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from resources.store.object_store import ObjectStore
from resources.store.pointer import Pointer, PointerEmpty, PointerTaken, Position, PositionDamaged, PositionMissing
from resources.store.written_once import compute_sha256


@pytest.fixture
def pointer(store: ObjectStore) -> Pointer:
    return Pointer(store, "promoted")


def moved(pointer: Pointer, *values: str) -> list[Position]:
    positions: list[Position] = []
    for value in values:
        positions.append(pointer.move(positions[-1] if positions else None, {"set": value}))
    return positions


def overwrite(pointer: Pointer, number: int, data: bytes | None) -> None:
    """What the product never does: damages a position behind its back."""
    pointer.store.delete(pointer.key(number))
    if data is not None:
        pointer.store.create(pointer.key(number), data)


def test_it_stands_where_it_was_moved_last_and_every_earlier_position_is_kept(pointer: Pointer) -> None:
    positions = moved(pointer, "a", "b", "a")
    assert pointer.latest() == positions[-1]
    assert [each.number for each in positions] == [1, 2, 3]
    assert [each.value["set"] for each in pointer.history()] == ["a", "b", "a"]
    assert pointer.at(2).value == {"set": "b"}


def test_empty_missing_and_damaged_are_three_things(pointer: Pointer) -> None:
    assert pointer.latest_or_none() is None
    assert list(pointer.history()) == []
    with pytest.raises(PointerEmpty, match="nothing was promoted yet"):
        pointer.latest()
    moved(pointer, "a", "b")
    with pytest.raises(PositionMissing, match=r"00000003\.json is not there"):
        pointer.at(3)
    overwrite(pointer, 2, b"{ torn")
    for read in (pointer.latest, pointer.latest_or_none):
        with pytest.raises(PositionDamaged, match=r"00000002\.json can't be read as a position"):
            read()
    assert pointer.at(1).value == {"set": "a"}


def changed(data: bytes, **fields: Any) -> bytes:
    return json.dumps(json.loads(data) | fields).encode()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"value": {"set": "another"}}, "was changed after it was written"),
        ({"previous": None}, "was changed after it was written"),
        ({"pointer_version": 2}, "has pointer version 2; this release reads 1"),
    ],
)
def test_a_position_that_was_changed_is_not_followed(pointer: Pointer, fields: dict[str, Any], said: str) -> None:
    moved(pointer, "a", "b")
    overwrite(pointer, 2, changed(pointer.store.read(pointer.key(2)), **fields))
    with pytest.raises(PositionDamaged, match=said):
        pointer.latest()


def test_a_position_under_the_number_of_another_is_not_followed(pointer: Pointer) -> None:
    moved(pointer, "a", "b")
    overwrite(pointer, 2, pointer.store.read(pointer.key(1)))
    with pytest.raises(PositionDamaged, match="was changed"):
        pointer.latest()


def test_a_gap_in_the_numbers_is_told_and_not_stepped_over(pointer: Pointer) -> None:
    positions = moved(pointer, "a", "b", "c")
    overwrite(pointer, 2, None)
    with pytest.raises(PositionMissing, match=r"00000002\.json is not there: it was never written, or was deleted"):
        pointer.latest()
    assert pointer.at(3) == positions[2]


def test_a_history_that_was_rewritten_is_told(pointer: Pointer) -> None:
    moved(pointer, "a", "b")
    body = json.loads(pointer.store.read(pointer.key(1))) | {"value": {"set": "never promoted"}}
    del body["sha256"]
    overwrite(pointer, 1, json.dumps(body | {"sha256": compute_sha256(body)}).encode())
    assert pointer.latest().value == {"set": "b"}
    with pytest.raises(PositionDamaged, match="is not the one that the next position was moved from"):
        list(pointer.history())


def test_a_writer_that_was_frozen_finds_its_number_taken_and_changes_nothing(pointer: Pointer) -> None:
    (seen,) = moved(pointer, "a")
    second = pointer.move(seen, {"set": "b"})
    third = pointer.move(second, {"set": "c"})
    with pytest.raises(PointerTaken, match=r"00000002\.json is there already: another writer .* decide again"):
        pointer.move(seen, {"set": "of the frozen one"})
    assert pointer.latest() == third
    assert [each.value["set"] for each in pointer.history()] == ["c", "b", "a"]


def test_of_many_writers_at_once_one_moves_it_and_the_others_are_told(pointer: Pointer) -> None:
    def move(writer: int) -> Position | None:
        try:
            return pointer.move(None, {"set": writer})
        except PointerTaken:
            return None

    with ThreadPoolExecutor(8) as pool:
        positions = [each for each in pool.map(move, range(8)) if each]
    assert len(positions) == 1
    assert pointer.latest() == positions[0]


def test_other_objects_in_its_folder_are_none_of_its_positions(pointer: Pointer) -> None:
    moved(pointer, "a")
    for key in ("promoted/notes.txt", "promoted/old/00000009.json", "promoted/9.json"):
        pointer.store.create(key, b"{}")
    assert pointer.latest().number == 1
