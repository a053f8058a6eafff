"""German Credit's model once took the place of the loans' model, because two tables of one store shared a pointer."""

import json
from typing import Any

import pytest

from credit_assets.promotion.model_set import MODEL, OtherTable, read_set
from credit_assets.promotion.promote import Decision, promote, promote_by_hand
from credit_assets.promotion.table_pointer import POINTER, open_pointer, warn_of_overlooked
from resources.store.object_store import ObjectStore
from resources.store.pointers.pointer import Pointer, PositionForeign
from resources.store.pointers.positions import Position

RULE = Decision("rule", "run", "run")
LOANS, GERMAN = "public.loans", "german_credit"


@pytest.fixture
def shared(store: ObjectStore, commit_set: Any) -> list[Position]:
    """Promotions of the release before: loans, German Credit, loans, German Credit."""
    pointer, positions = Pointer(store, POINTER), []
    for day, table in enumerate((LOANS, GERMAN, LOANS, GERMAN), start=1):
        parts = commit_set(f"{table} {day}", day=day, table=table)
        promoted = promote(store, table, parts, RULE).position
        assert promoted
        for key in store.list_keys(f"{POINTER}/{table}"):
            store.delete(key)
        positions.append(pointer.move(pointer.read_state(), promoted.value))
    return positions


def test_two_tables_of_one_store_have_a_pointer_each(store: ObjectStore, commit_set: Any) -> None:
    loans, german = commit_set("loans", table=LOANS), commit_set("german", day=1, table=GERMAN)
    first, other = promote(store, LOANS, loans, RULE), promote(store, GERMAN, german, RULE)
    assert first.position
    assert other.position
    assert first.position.key == "promoted_model/public.loans/00000001.json"
    assert other.position.key == "promoted_model/german_credit/00000001.json"
    assert open_pointer(store, LOANS).latest() == first.position
    assert other.position.value["champion"] is None, "it was compared with another table's model"


def test_a_set_of_another_table_is_neither_promoted_by_rule_nor_by_hand(store: ObjectStore, commit_set: Any) -> None:
    german = commit_set("german", table=GERMAN)
    for attempt in (promote, promote_by_hand):
        with pytest.raises(
            OtherTable, match="was made from table german_credit, and the settings are for table public"
        ):
            attempt(store, LOANS, german, RULE)
    assert store.list_keys(POINTER) == []


def test_each_table_stands_at_its_newest_position_of_the_release_before(
    store: ObjectStore, shared: list[Position]
) -> None:
    assert open_pointer(store, LOANS).latest() == shared[2]
    assert open_pointer(store, GERMAN).latest() == shared[3]
    assert open_pointer(store, "another").read_state().position is None


def test_the_first_promotion_after_the_upgrade_continues_numbers_champion_and_history(
    store: ObjectStore, commit_set: Any, shared: list[Position]
) -> None:
    champions: list[Any] = []
    outcome = promote(
        store, LOANS, commit_set("new", day=9, table=LOANS), RULE, lambda _, champion: champions.append(champion)
    )
    assert outcome.position
    assert outcome.position.key == "promoted_model/public.loans/00000005.json"
    assert outcome.position.previous == shared[3].sha256
    assert outcome.position.value["champion"]["number"] == 3
    assert champions[0].as_of.isoformat() == shared[2].value["as_of"]
    assert [each.number for each in open_pointer(store, LOANS).history()] == [5, 3, 1]
    assert open_pointer(store, GERMAN).latest() == shared[3]


def test_a_rollback_to_a_promotion_of_the_release_before_moves_forward_to_its_set(
    store: ObjectStore, commit_set: Any, shared: list[Position]
) -> None:
    pointer = open_pointer(store, LOANS)
    back = promote_by_hand(store, LOANS, read_set(store, pointer.at(1)), Decision("hand", "x", "x", "Ada", "why"))
    assert back.position
    assert (back.position.number, back.position.value["set"]) == (5, shared[0].value["set"])
    with pytest.raises(
        PositionForeign, match=r"00000004\.json names a model of table german_credit, not of public.loans"
    ):
        pointer.at(4)


def test_a_run_of_the_release_before_that_is_retried_after_the_upgrade_promotes_nothing_twice(
    store: ObjectStore, commit_set: Any, shared: list[Position]
) -> None:
    again = promote(store, LOANS, commit_set(f"{LOANS} 3", day=3, table=LOANS), RULE, lambda *_: None)
    assert not again.moved
    assert again.position == shared[2]


def test_a_worker_of_the_release_before_that_promotes_after_the_upgrade_is_reported(
    store: ObjectStore, commit_set: Any, shared: list[Position]
) -> None:
    warnings: list[str] = []
    newest = promote(store, LOANS, commit_set("new", day=9, table=LOANS), RULE)
    warn_of_overlooked(store, LOANS, warnings.append)
    assert warnings == []
    before = Pointer(store, POINTER)
    before.move(before.read_state(), {**shared[2].value, "root_run": "of the release before"})
    warn_of_overlooked(store, LOANS, warnings.append)
    warn_of_overlooked(store, GERMAN, pytest.fail)
    assert "promoted_model/00000005.json is not in use" in warnings[0]
    assert "promote root run of the release before by hand" in warnings[0]
    assert open_pointer(store, LOANS).latest() == newest.position


def test_a_scoring_service_reads_the_greatest_number_of_its_table(store: ObjectStore, commit_set: Any) -> None:
    """The keys and the field that docs tell a scoring service to read, without any code of this project."""
    parts = commit_set("root", table=LOANS)
    promote(store, LOANS, parts, RULE)
    newest = max(store.list_keys("promoted_model/public.loans"))
    value = json.loads(store.read(newest))["value"]
    assert value["set"][MODEL]["key"] == parts[MODEL].manifest.files[0].key
    assert value["set"][MODEL]["sha256"] == parts[MODEL].sha256
