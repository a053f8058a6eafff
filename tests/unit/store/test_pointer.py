"""A pointer that moves back, or that two writers move at once, publishes a model that nobody decided on."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from resources.store.object_store import ObjectStore
from resources.store.pointers.pointer import NoSuchPosition, Pointer, PointerEmpty, PointerState, PositionForeign
from resources.store.pointers.positions import PointerTaken, Position, PositionDamaged, PositionMissing
from resources.store.written_once import compute_sha256


@pytest.fixture
def pointer(store: ObjectStore) -> Pointer:
    return Pointer(store, "promoted")


def state(position: Position) -> PointerState:
    """What a writer reads while the pointer stands there."""
    return PointerState(position, position)


def move(pointer: Pointer, *values: str) -> list[Position]:
    return [pointer.move(pointer.read_state(), {"set": value}) for value in values]


def overwrite(pointer: Pointer, key: str, data: bytes | None) -> None:
    """What the product never does: damages a position behind its back."""
    pointer.store.delete(key)
    if data is not None:
        pointer.store.create(key, data)


FIRST, SECOND = (f"promoted/0000000{number}.json" for number in (1, 2))


def test_it_stands_where_it_was_moved_last_and_every_earlier_position_is_kept(pointer: Pointer) -> None:
    positions = move(pointer, "a", "b", "a")
    assert pointer.latest() == positions[-1]
    assert [each.number for each in positions] == [1, 2, 3]
    assert [each.value["set"] for each in pointer.history()] == ["a", "b", "a"]
    assert pointer.at(2).value == {"set": "b"}


def test_empty_missing_and_damaged_are_three_things(pointer: Pointer) -> None:
    assert pointer.read_state() == PointerState()
    assert list(pointer.history()) == []
    with pytest.raises(PointerEmpty, match="nothing was promoted yet"):
        pointer.latest()
    with pytest.raises(NoSuchPosition, match=r"^There is no promotion 1; nothing was promoted yet"):
        pointer.at(1)
    move(pointer, "a", "b")
    with pytest.raises(NoSuchPosition, match=r"^There is no promotion 3; the latest is 2\."):
        pointer.at(3)
    overwrite(pointer, SECOND, b"{ torn")
    for read in (pointer.latest, pointer.read_state):
        with pytest.raises(PositionDamaged, match=r"00000002\.json can't be read as a position"):
            read()
    assert pointer.at(1).value == {"set": "a"}


def changed(data: bytes, **fields: Any) -> bytes:
    return json.dumps(json.loads(data) | fields).encode()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"value": {"set": "another"}}, "was changed after it was written"),
        ({"previous": None}, "was changed after it was written"),
        ({"pointer_version": 2}, "has pointer version 2; this release reads 1"),
    ],
)
def test_a_position_that_was_changed_is_not_followed(pointer: Pointer, fields: dict[str, Any], expected: str) -> None:
    move(pointer, "a", "b")
    overwrite(pointer, SECOND, changed(pointer.store.read(SECOND), **fields))
    with pytest.raises(PositionDamaged, match=expected):
        pointer.latest()


def test_a_position_under_the_number_of_another_is_not_followed(pointer: Pointer) -> None:
    move(pointer, "a", "b")
    overwrite(pointer, SECOND, pointer.store.read(FIRST))
    with pytest.raises(PositionDamaged, match="was changed"):
        pointer.latest()


def test_a_gap_in_the_numbers_is_an_error_and_not_stepped_over(pointer: Pointer) -> None:
    positions = move(pointer, "a", "b", "c")
    overwrite(pointer, SECOND, None)
    with pytest.raises(PositionMissing, match=r"00000002\.json is not there: it was deleted\. Bring it back"):
        pointer.latest()
    with pytest.raises(PositionMissing, match=r"00000002\.json is not there"):
        pointer.at(2)
    assert pointer.at(3) == positions[2]


def test_a_history_that_was_rewritten_is_noticed(pointer: Pointer) -> None:
    move(pointer, "a", "b")
    body = json.loads(pointer.store.read(FIRST)) | {"value": {"set": "never promoted"}}
    del body["sha256"]
    overwrite(pointer, FIRST, json.dumps(body | {"sha256": compute_sha256(body)}).encode())
    assert pointer.latest().value == {"set": "b"}
    with pytest.raises(PositionDamaged, match="is not the one that the next position was moved from"):
        list(pointer.history())


def test_a_writer_that_was_frozen_finds_its_number_taken_and_changes_nothing(pointer: Pointer) -> None:
    (seen,) = move(pointer, "a")
    second = pointer.move(state(seen), {"set": "b"})
    third = pointer.move(state(second), {"set": "c"})
    with pytest.raises(PointerTaken, match=r"00000002\.json is there already: another writer .* decide again"):
        pointer.move(state(seen), {"set": "of the frozen one"})
    assert pointer.latest() == third
    assert [each.value["set"] for each in pointer.history()] == ["c", "b", "a"]


def test_of_many_writers_at_once_one_moves_it_and_the_others_learn_of_it(pointer: Pointer) -> None:
    def move_first(writer: int) -> Position | None:
        try:
            return pointer.move(PointerState(), {"set": writer})
        except PointerTaken:
            return None

    with ThreadPoolExecutor(8) as pool:
        positions = [each for each in pool.map(move_first, range(8)) if each]
    assert len(positions) == 1
    assert pointer.latest() == positions[0]


def test_other_objects_in_its_folder_are_none_of_its_positions(pointer: Pointer) -> None:
    move(pointer, "a")
    for key in ("promoted/notes.txt", "promoted/old/00000009.json", "promoted/9.json"):
        pointer.store.create(key, b"{}")
    assert pointer.latest().number == 1


def own(owner: str, store: ObjectStore) -> Pointer:
    """A pointer of one owner, in a folder of its own, that continues the folder which all owners shared."""

    def object_to(value: Any) -> str | None:
        return None if value["owner"] == owner else f"belongs to {value['owner']}"

    return Pointer(store, f"promoted/{owner}", "promoted", object_to)


def share(store: ObjectStore, *owners: str) -> list[Position]:
    """Positions in the shared folder, as the release before wrote them, for these owners in turn."""
    shared = Pointer(store, "promoted")
    return [
        shared.move(shared.read_state(), {"owner": owner, "set": f"{owner} {turn}"})
        for turn, owner in enumerate(owners, start=1)
    ]


def sets(pointer: Pointer) -> list[tuple[int, str]]:
    return [(each.number, each.value["set"]) for each in pointer.history()]


def test_two_pointers_in_one_store_do_not_move_each_other(store: ObjectStore) -> None:
    ada, bob = own("ada", store), own("bob", store)
    first = ada.move(ada.read_state(), {"owner": "ada", "set": "a"})
    bob.move(bob.read_state(), {"owner": "bob", "set": "b"})
    assert first.key == "promoted/ada/00000001.json"
    assert (sets(ada), sets(bob)) == ([(1, "a")], [(1, "b")])


def test_a_shared_folder_is_continued_behind_its_last_number_and_stays_readable(store: ObjectStore) -> None:
    shared, ada = share(store, "ada", "ada", "ada"), own("ada", store)
    assert ada.latest() == shared[2]
    fourth = ada.move(ada.read_state(), {"owner": "ada", "set": "new"})
    assert (fourth.key, fourth.previous) == ("promoted/ada/00000004.json", shared[2].sha256)
    assert ada.latest() == fourth
    assert ada.at(3) == shared[2]
    assert sets(ada) == [(4, "new"), (3, "ada 3"), (2, "ada 2"), (1, "ada 1")]


def test_of_a_mixed_folder_each_owner_sees_its_own_positions_only(store: ObjectStore) -> None:
    shared, ada, bob, eve = (
        share(store, "ada", "bob", "ada", "bob"),
        *(own(name, store) for name in ("ada", "bob", "eve")),
    )
    assert (ada.latest(), bob.latest()) == (shared[2], shared[3])
    with pytest.raises(PointerEmpty):
        eve.latest()
    fifth = ada.move(ada.read_state(), {"owner": "ada", "set": "new"})
    assert (fifth.number, fifth.previous) == (5, shared[3].sha256), "it follows the last position, whoever's that is"
    assert sets(ada) == [(5, "new"), (3, "ada 3"), (1, "ada 1")]
    assert bob.latest() == shared[3]
    first = eve.move(eve.read_state(), {"owner": "eve", "set": "e"})
    assert (first.number, first.previous) == (5, shared[3].sha256)
    assert sets(eve) == [(5, "e")]
    with pytest.raises(PositionForeign, match=r"promoted/00000002\.json belongs to bob"):
        ada.at(2)


def test_of_two_writers_at_the_first_own_number_one_wins(store: ObjectStore) -> None:
    share(store, "bob", "ada")
    ada = own("ada", store)
    seen = ada.read_state()
    first = ada.move(seen, {"owner": "ada", "set": "first"})
    with pytest.raises(PointerTaken, match=r"ada/00000003\.json is there already"):
        ada.move(seen, {"owner": "ada", "set": "second"})
    assert ada.latest() == first


def test_a_position_of_another_owner_is_refused_in_an_own_folder(store: ObjectStore) -> None:
    ada, bob = own("ada", store), own("bob", store)
    with pytest.raises(PositionForeign, match=r"promoted/ada/00000001\.json belongs to bob"):
        ada.move(ada.read_state(), {"owner": "bob", "set": "b"})
    assert store.list_keys("promoted") == []
    bob.move(bob.read_state(), {"owner": "bob", "set": "b"})
    store.create("promoted/ada/00000001.json", store.read("promoted/bob/00000001.json"))
    for use in (ada.latest, lambda: ada.at(1), lambda: list(ada.history())):
        with pytest.raises(PositionForeign, match="belongs to bob"):
            use()


def test_what_an_older_release_adds_after_the_upgrade_is_reported_and_not_used(store: ObjectStore) -> None:
    share(store, "ada", "ada")
    ada = own("ada", store)
    assert ada.list_overlooked() == []
    third = ada.move(ada.read_state(), {"owner": "ada", "set": "new"})
    assert ada.list_overlooked() == []
    shared = Pointer(store, "promoted")
    late = [shared.move(shared.read_state(), {"owner": owner, "set": "late"}) for owner in ("ada", "bob")]
    assert ada.latest() == third
    assert sets(ada) == [(3, "new"), (2, "ada 2"), (1, "ada 1")]
    assert ada.list_overlooked() == late[:1]
    assert ada.at(3) == third


@pytest.mark.parametrize("gone", ["promoted/00000001.json", "promoted/00000003.json", "promoted/ada/00000005.json"])
def test_a_gap_is_an_error_before_and_after_the_own_folder_began(store: ObjectStore, gone: str) -> None:
    share(store, "ada", "bob", "ada")
    ada = own("ada", store)
    for value in ("fourth", "fifth", "sixth"):
        ada.move(ada.read_state(), {"owner": "ada", "set": value})
    store.delete(gone)
    with pytest.raises(PositionMissing, match=gone):
        ada.latest()


def test_a_shared_history_that_was_rewritten_is_noticed(store: ObjectStore) -> None:
    share(store, "ada", "bob", "ada")
    ada, key = own("ada", store), "promoted/00000002.json"
    latest = ada.move(ada.read_state(), {"owner": "ada", "set": "new"})
    body = json.loads(store.read(key)) | {"value": {"owner": "bob", "set": "never promoted"}}
    del body["sha256"]
    overwrite(ada, key, json.dumps(body | {"sha256": compute_sha256(body)}).encode())
    assert ada.latest() == latest
    with pytest.raises(PositionDamaged, match=r"00000002\.json is not the one that the next position was moved from"):
        list(ada.history())
