"""Every promoted set is read again each week: otherwise damage is found when the model is needed."""

from typing import Any

import pytest

from credit_assets.operations.audit import Audit, Promoted, Reading, audit_promotions, choose_sets
from credit_assets.operations.readings import describe_reading, parse_readings, sum_up_readings
from credit_assets.promotion.promote import Decision, promote
from credit_assets.promotion.table_pointer import open_pointer
from resources.store.object_store import ObjectStore, StoreError

TABLE = "credit.loans"
NOW, DAY = 1_800_000_000.0, 24 * 3600.0


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
    assert audit_promotions(store, TABLE, NOW) == Audit([], [])
    request.getfixturevalue("promoted")
    audit = audit_promotions(store, TABLE, NOW)
    assert [(each.number, each.damage) for each in audit.promoted] == [(2, None), (1, None)]
    assert audit.damages == []


def test_a_changed_file_is_counted_where_it_was_promoted_and_nowhere_else(store: ObjectStore, promoted: Any) -> None:
    damage_object(store, promoted[0]["trained_model"].manifest.files[0].key)
    audit = audit_promotions(store, TABLE, NOW)
    assert [each.damage is None for each in audit.promoted] == [True, False]
    (damage,) = audit.damages
    assert damage.startswith("number 1: ")
    assert "changed" in damage


def test_a_set_that_is_promoted_again_is_damaged_in_both_places(store: ObjectStore, promoted: Any) -> None:
    promote(store, TABLE, promoted[0], Decision("hand", "by hand", "by hand", "Ada", "a reason"))
    damage_object(store, promoted[0]["test_split"].manifest.files[0].key)
    audit = audit_promotions(store, TABLE, NOW)
    assert [(each.number, each.damage is None) for each in audit.promoted] == [(3, False), (2, True), (1, False)]


def test_a_deleted_manifest_and_a_changed_history_are_damage(store: ObjectStore, promoted: Any) -> None:
    store.delete(f"{promoted[1]['model_metrics'].place}/manifest.json")
    damage_object(store, open_pointer(store, TABLE).at(1).key)
    audit = audit_promotions(store, TABLE, NOW)
    assert [each.number for each in audit.promoted] == [2], "nothing behind a changed position can be trusted"
    assert len(audit.damages) == 2
    assert "can't be read as a position" in audit.damages[1]


def test_a_store_that_is_away_is_not_taken_for_damage(store: ObjectStore, promoted: Any, monkeypatch: Any) -> None:
    def away(*_: Any) -> bytes:
        raise StoreError("store s3://models: no answer")

    monkeypatch.setattr(type(store), "read", away)
    with pytest.raises(StoreError, match="no answer"):
        audit_promotions(store, TABLE, NOW)


def test_a_limited_audit_reads_the_set_in_use_then_the_damaged_ones_then_the_longest_unread() -> None:
    digests = {6: "f", 5: "e", 4: "d", 3: "c", 2: "b", 1: "a"}
    last = {
        1: Reading(NOW - 1 * DAY, damaged=False),
        2: Reading(NOW - 30 * DAY, damaged=False),
        3: Reading(NOW - 2 * DAY, damaged=True),
        4: Reading(None, damaged=False),
        5: Reading(NOW - 3 * DAY, damaged=False),
    }
    assert choose_sets(digests, last, most=2) == {"f", "c", "d"}, "damage keeps no other set from being read"
    assert choose_sets(digests, last, most=3) == {"f", "c", "d"}
    assert choose_sets(digests, last, most=4) == {"f", "c", "d", "b"}
    assert choose_sets(digests, last, most=100) == set(digests.values())
    assert choose_sets({}, {}, most=3) == set()


def test_every_set_is_read_again_before_any_is_read_a_third_time() -> None:
    digests = {number: f"set {number}" for number in range(50, 0, -1)}
    last, read = dict[int, Reading](), list[int]()
    for week in range(20):
        chosen = choose_sets(digests, last, most=6)
        assert len(chosen) == 6
        now = NOW + week * 7 * DAY
        for number, digest in digests.items():
            if digest in chosen:
                last[number] = Reading(now, damaged=False)
                read.append(number)
    times = [read.count(number) for number in range(1, 50)]
    assert (min(times), max(times)) == (2, 3)
    assert read.count(50) == 20, "the set in use is read every week"


def test_what_is_not_read_whole_must_still_be_there_with_its_size(
    store: ObjectStore, promoted: Any, commit_set: Any
) -> None:
    promote(store, TABLE, commit_set("third", day=3), Decision("rule", "run", "run"), accept)
    file = promoted[0]["trained_model"].manifest.files[0]
    data = store.read(file.key)
    damage_object(store, file.key)
    last = {1: Reading(NOW - DAY, damaged=False), 2: Reading(NOW - 2 * DAY, damaged=False)}
    unseen = audit_promotions(store, TABLE, NOW, last, most=2)
    assert [(each.number, each.damage) for each in unseen.promoted] == [(3, None), (2, None), (1, None)]
    assert [each.read_at for each in unseen.promoted] == [NOW, NOW, NOW - DAY]
    store.delete(file.key)
    store.create(file.key, data[:-1])
    (shorter,) = audit_promotions(store, TABLE, NOW, last, most=2).damages
    assert "truncated or extended" in shorter
    store.delete(file.key)
    (gone,) = audit_promotions(store, TABLE, NOW, last, most=2).damages
    assert gone.startswith("number 1: ")
    assert "deleted" in gone


def test_damage_that_was_found_by_its_bytes_is_found_again_although_others_wait_longer(
    store: ObjectStore, promoted: Any, commit_set: Any
) -> None:
    promote(store, TABLE, commit_set("third", day=3), Decision("rule", "run", "run"), accept)
    damage_object(store, promoted[1]["trained_model"].manifest.files[0].key)
    first = audit_promotions(store, TABLE, NOW)
    last = parse_readings(describe_reading(each) for each in first.promoted)
    again = audit_promotions(store, TABLE, NOW + 7 * DAY, last, most=2)
    assert [(each.number, each.damage is None) for each in again.promoted] == [(3, True), (2, False), (1, True)]
    assert {each.read_at for each in again.promoted} == {NOW + 7 * DAY}, "damage keeps no other set from being read"


def test_the_summary_says_how_many_were_read_now_how_long_the_others_wait_and_how_many_never_were() -> None:
    read, waiting, never = Promoted(3, NOW, None, NOW), Promoted(2, NOW, None, NOW - 9 * DAY), Promoted(1, NOW)
    assert sum_up_readings([read, read], NOW) == "all 2 are whole"
    limited = sum_up_readings([read, waiting, never], NOW)
    assert limited.startswith(
        "no damage is known of 3 of 3: 1 of them were read byte by byte now, 1 at most 9 days ago, 1 never"
    )
    assert sum_up_readings([read, Promoted(2, NOW, "changed", NOW)], NOW) == "1 of 2 are whole"
