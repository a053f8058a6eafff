"""What is promoted is read again every week: damage that nobody looks for is found when the model is needed."""

from typing import Any

import pytest

from credit_assets.promotion.rule import POINTER, Decision, promote
from credit_assets.resilience_report import verify
from resources.store.object_store import ObjectStore, StoreError
from resources.store.pointer import Pointer


def by_rule(*_: Any) -> None:
    """Takes everything."""


@pytest.fixture
def promoted(store: ObjectStore, commit_set: Any) -> list[Any]:
    """Two promoted sets."""
    sets = [commit_set("first", day=1), commit_set("second", day=2)]
    for parts in sets:
        promote(store, parts, Decision("rule", "run", "run"), by_rule)
    return sets


def damaged(store: ObjectStore, key: str) -> None:
    data = store.read(key)
    store.delete(key)
    store.create(key, data[:-1] + b"?")


def test_nothing_promoted_and_everything_whole_are_no_damage(store: ObjectStore, request: Any) -> None:
    assert verify(store) == ([], [])
    request.getfixturevalue("promoted")
    found, said = verify(store)
    assert [(each.number, each.damage) for each in found] == [(2, None), (1, None)]
    assert said == []


def test_a_changed_file_is_counted_where_it_was_promoted_and_nowhere_else(store: ObjectStore, promoted: Any) -> None:
    damaged(store, promoted[0]["trained_model"].manifest.files[0].key)
    found, (said,) = verify(store)
    assert [each.damage is None for each in found] == [True, False]
    assert said.startswith("number 1: ")
    assert "changed" in said


def test_a_set_that_is_promoted_again_is_damaged_in_both_places(store: ObjectStore, promoted: Any) -> None:
    promote(store, promoted[0], Decision("hand", "by hand", "by hand", "Ada", "a reason"))
    damaged(store, promoted[0]["test_split"].manifest.files[0].key)
    found, _ = verify(store)
    assert [(each.number, each.damage is None) for each in found] == [(3, False), (2, True), (1, False)]


def test_a_deleted_manifest_and_a_changed_history_are_damage(store: ObjectStore, promoted: Any) -> None:
    store.delete(f"{promoted[1]['model_metrics'].place}/manifest.json")
    damaged(store, Pointer(store, POINTER).key(1))
    found, said = verify(store)
    assert [each.number for each in found] == [2], "what lies behind a changed position can't be trusted"
    assert len(said) == 2
    assert "can't be read as a position" in said[1]


def test_a_store_that_is_away_is_not_taken_for_damage(store: ObjectStore, promoted: Any, monkeypatch: Any) -> None:
    def away(*_: Any) -> bytes:
        raise StoreError("store s3://models: no answer")

    monkeypatch.setattr(type(store), "read", away)
    with pytest.raises(StoreError, match="no answer"):
        verify(store)
