"""Every promoted set is read again each week: otherwise damage is found when the model is needed."""

from typing import Any

import pytest

from credit_assets.operations.audit import Audit, audit_promotions
from credit_assets.promotion.promote import Decision, promote
from credit_assets.promotion.table_pointer import open_pointer
from resources.store.object_store import ObjectStore, StoreError

TABLE = "credit.loans"


def accept(*_: Any) -> None:
    """A rule that refuses nothing."""


@pytest.fixture
def promoted(store: ObjectStore, commit_set: Any) -> list[Any]:
    """Two promoted sets."""
    sets = [commit_set("first", day=1), commit_set("second", day=2)]
    for parts in sets:
        promote(store, TABLE, parts, Decision("rule", "run", "run"), accept)
    return sets


def damage_object(store: ObjectStore, key: str) -> None:
    data = store.read(key)
    store.delete(key)
    store.create(key, data[:-1] + b"?")


def test_nothing_promoted_and_everything_whole_are_no_damage(store: ObjectStore, request: Any) -> None:
    assert audit_promotions(store, TABLE) == Audit([], [])
    request.getfixturevalue("promoted")
    audit = audit_promotions(store, TABLE)
    assert [(each.number, each.damage) for each in audit.promoted] == [(2, None), (1, None)]
    assert audit.damages == []


def test_a_changed_file_is_counted_where_it_was_promoted_and_nowhere_else(store: ObjectStore, promoted: Any) -> None:
    damage_object(store, promoted[0]["trained_model"].manifest.files[0].key)
    audit = audit_promotions(store, TABLE)
    assert [each.damage is None for each in audit.promoted] == [True, False]
    (damage,) = audit.damages
    assert damage.startswith("number 1: ")
    assert "changed" in damage


def test_a_set_that_is_promoted_again_is_damaged_in_both_places(store: ObjectStore, promoted: Any) -> None:
    promote(store, TABLE, promoted[0], Decision("hand", "by hand", "by hand", "Ada", "a reason"))
    damage_object(store, promoted[0]["test_split"].manifest.files[0].key)
    audit = audit_promotions(store, TABLE)
    assert [(each.number, each.damage is None) for each in audit.promoted] == [(3, False), (2, True), (1, False)]


def test_a_deleted_manifest_and_a_changed_history_are_damage(store: ObjectStore, promoted: Any) -> None:
    store.delete(f"{promoted[1]['model_metrics'].place}/manifest.json")
    damage_object(store, open_pointer(store, TABLE).at(1).key)
    audit = audit_promotions(store, TABLE)
    assert [each.number for each in audit.promoted] == [2], "nothing behind a changed position can be trusted"
    assert len(audit.damages) == 2
    assert "can't be read as a position" in audit.damages[1]


def test_a_store_that_is_away_is_not_taken_for_damage(store: ObjectStore, promoted: Any, monkeypatch: Any) -> None:
    def away(*_: Any) -> bytes:
        raise StoreError("store s3://models: no answer")

    monkeypatch.setattr(type(store), "read", away)
    with pytest.raises(StoreError, match="no answer"):
        audit_promotions(store, TABLE)
