"""Promotion decides which model rules on loans: a worse, older, mixed or damaged one must not get there by itself."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from credit_assets.promotion.model_set import (
    PARTS,
    MixtureError,
    NoSuchSet,
    describe_set,
    find_set,
    read_set,
    refuse_mixtures,
)
from credit_assets.promotion.promote import Decision, promote, promote_by_hand
from credit_assets.promotion.rule import Contender, find_objections
from credit_assets.promotion.table_pointer import open_pointer
from credit_assets.settings.limits import Promotion
from resources.store.artifacts import ArtifactError
from resources.store.object_store import ObjectStore
from resources.store.pointers.pointer import Pointer
from resources.store.pointers.positions import PointerTaken

LIMITS = Promotion(minimum_auc=0.7, maximum_auc_loss=0.02)
RULE = Decision("rule", "run", "run")
TABLE = "credit.loans"


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def by_rule(challenger: Contender, champion: Contender | None) -> str | None:
    return find_objections(challenger, champion, LIMITS)


def by_hand(root: str = "by hand") -> Decision:
    return Decision("hand", root, root, "Ada", "the new one is wrong about Mondays")


def pointer(store: ObjectStore) -> Pointer:
    return open_pointer(store, TABLE)


@pytest.mark.parametrize(
    ("challenger", "champion", "objection"),
    [
        (Contender(0.7, day(1)), None, None),
        (Contender(0.69, day(1)), None, "ROC AUC is 0.6900; expected at least 0.7 (promotion.minimum_auc)"),
        (Contender(0.8, day(2)), Contender(0.8, day(1)), None),
        (Contender(0.79, day(2)), Contender(0.8, day(1)), None),
        (Contender(0.9, day(2)), Contender(0.8, day(1)), None),
        (
            Contender(0.77, day(2)),
            Contender(0.8, day(1)),
            "expected a loss of at most 0.02 (promotion.maximum_auc_loss)",
        ),
        (Contender(0.9, day(1)), Contender(0.8, day(2)), "the rule promotes newer ones only"),
        (Contender(0.9, day(1)), Contender(0.8, day(1)), "the rule promotes newer ones only"),
    ],
)
def test_the_rule_takes_a_newer_model_that_is_good_enough_and_says_why_not(
    challenger: Contender, champion: Contender | None, objection: str | None
) -> None:
    reason = by_rule(challenger, champion)
    assert (reason is None) == (objection is None)
    assert objection is None or objection in str(reason)


OUT_OF_TIME = Contender(0.75, day(2), random_roc_auc=0.8)


@pytest.mark.parametrize(
    ("challenger", "champion", "objection"),
    [
        (OUT_OF_TIME, Contender(0.81, day(1)), None),
        (
            OUT_OF_TIME,
            Contender(0.83, day(1)),
            "ROC AUC on a random split is 0.8000, and the promoted model has",
        ),
        (Contender(0.81, day(3)), OUT_OF_TIME, None),
        (
            Contender(0.77, day(3)),
            OUT_OF_TIME,
            "ROC AUC on a random split is 0.7700, and the promoted model has",
        ),
        (Contender(0.74, day(3), random_roc_auc=0.7), OUT_OF_TIME, None),
        (
            Contender(0.72, day(3), random_roc_auc=0.9),
            OUT_OF_TIME,
            "ROC AUC is 0.7200, and the promoted model has 0.7500",
        ),
        (Contender(0.69, day(3), random_roc_auc=0.9), None, "ROC AUC is 0.6900; expected at least 0.7"),
    ],
)
def test_figures_of_one_kind_are_compared(
    challenger: Contender, champion: Contender | None, objection: str | None
) -> None:
    reason = by_rule(challenger, champion)
    assert (reason is None) == (objection is None)
    assert objection is None or str(reason).startswith(objection)


def test_all_reasons_are_reported_at_once() -> None:
    reason = str(by_rule(Contender(0.6, day(1)), Contender(0.9, day(2))))
    for objection in ("promotion.minimum_auc", "newer ones only", "promotion.maximum_auc_loss"):
        assert objection in reason


def test_a_promoted_set_is_recorded_whole_and_found_again(store: ObjectStore, commit_set: Any) -> None:
    parts = commit_set("first")
    outcome = promote(store, TABLE, parts, RULE, by_rule)
    assert outcome.moved
    latest = pointer(store).latest()
    assert latest.value["set"] == describe_set(parts)
    assert latest.value["champion"] is None
    assert latest.value["metrics"]["roc_auc"] == 0.8
    assert read_set(store, latest) == parts
    for part in latest.value["set"].values():
        assert part["sha256"] == next(each for each in parts.values() if each.place == part["place"]).sha256


def test_a_retry_of_an_attempt_that_died_behind_the_pointer_publishes_nothing_anew(
    store: ObjectStore, commit_set: Any
) -> None:
    first = promote(store, TABLE, commit_set("first"), RULE, by_rule)
    retry = promote(store, TABLE, commit_set("first"), Decision("rule", "the retry", "run"), by_rule)
    assert (retry.moved, retry.refused) == (False, None)
    assert retry.position == first.position
    assert len(list(pointer(store).history())) == 1


def test_a_worse_model_is_refused_and_the_pointer_stays(store: ObjectStore, commit_set: Any) -> None:
    good = promote(store, TABLE, commit_set("good", day=1, roc_auc=0.8), RULE, by_rule)
    worse = promote(store, TABLE, commit_set("worse", day=2, roc_auc=0.75), RULE, by_rule)
    assert "promotion.maximum_auc_loss" in str(worse.refused)
    assert worse.position == good.position == pointer(store).latest()


def test_a_first_model_that_is_refused_leaves_the_pointer_empty(store: ObjectStore, commit_set: Any) -> None:
    outcome = promote(store, TABLE, commit_set("weak", roc_auc=0.6), RULE, by_rule)
    assert "promotion.minimum_auc" in str(outcome.refused)
    assert outcome.position is None
    assert store.list_keys("promoted_model") == []


def test_a_late_run_does_not_bring_back_an_older_model(store: ObjectStore, commit_set: Any) -> None:
    zombie = commit_set("zombie", day=1, roc_auc=0.9)
    newer = promote(store, TABLE, commit_set("newer", day=2), RULE, by_rule)
    late = promote(store, TABLE, zombie, RULE, by_rule)
    assert "newer ones only" in str(late.refused)
    assert pointer(store).latest() == newer.position


def test_what_was_rolled_back_by_hand_does_not_come_back_by_the_rule(store: ObjectStore, commit_set: Any) -> None:
    old, bad = commit_set("old", day=1), commit_set("bad", day=2)
    promote(store, TABLE, old, RULE, by_rule)
    promote(store, TABLE, bad, RULE, by_rule)
    back = promote_by_hand(store, TABLE, old, by_hand())
    assert back.position == pointer(store).at(3)
    again = promote(store, TABLE, bad, RULE, by_rule)
    assert "newer ones only" in str(again.refused)
    assert pointer(store).latest().value["set"] == describe_set(old)
    assert promote(store, TABLE, commit_set("next", day=3), RULE, by_rule).moved


def test_a_person_may_promote_what_the_rule_refuses_and_is_describe_set(store: ObjectStore, commit_set: Any) -> None:
    promote(store, TABLE, commit_set("good", day=1), RULE, by_rule)
    worse = commit_set("worse", day=2, roc_auc=0.6)
    assert promote(store, TABLE, worse, RULE, by_rule).refused
    assert promote_by_hand(store, TABLE, worse, by_hand()).moved
    decision = pointer(store).latest().value["decision"]
    assert (decision["by"], decision["who"], decision["why"]) == ("hand", "Ada", "the new one is wrong about Mondays")


def test_the_retry_of_a_promotion_by_hand_does_not_undo_what_came_after_it(store: ObjectStore, commit_set: Any) -> None:
    old = commit_set("old", day=1)
    promote(store, TABLE, old, RULE, by_rule)
    promote(store, TABLE, commit_set("bad", day=2), RULE, by_rule)
    first = promote_by_hand(store, TABLE, old, by_hand())
    newest = promote(store, TABLE, commit_set("newest", day=3), RULE, by_rule)
    retry = promote_by_hand(store, TABLE, old, by_hand())
    assert retry.position == first.position
    assert not retry.moved
    assert pointer(store).latest() == newest.position
    assert promote_by_hand(store, TABLE, old, by_hand("another decision")).moved


def test_of_two_promotions_at_once_the_second_is_decided_again_on_what_the_first_promoted(
    store: ObjectStore, commit_set: Any
) -> None:
    slow, quick = commit_set("slow", day=1), commit_set("quick", day=2)
    asked: list[Contender | None] = []

    def overtaken(challenger: Contender, champion: Contender | None) -> str | None:
        asked.append(champion)
        if len(asked) == 1:
            promote(store, TABLE, quick, RULE, by_rule)
        return by_rule(challenger, champion)

    outcome = promote(store, TABLE, slow, RULE, overtaken)
    assert [champion and champion.as_of for champion in asked] == [None, day(3)]
    assert "newer ones only" in str(outcome.refused)
    assert [each.value["root_run"] for each in pointer(store).history()] == ["quick"]


def test_a_person_who_was_overtaken_gets_an_error_and_the_newer_promotion_stands(
    store: ObjectStore, commit_set: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, quick = commit_set("old", day=1), commit_set("quick", day=2)
    read_state = Pointer.read_state

    def overtaken(self: Pointer) -> Any:
        state = read_state(self)
        monkeypatch.setattr(Pointer, "read_state", read_state)
        promote(store, TABLE, quick, RULE, by_rule)
        return state

    monkeypatch.setattr(Pointer, "read_state", overtaken)
    with pytest.raises(PointerTaken):
        promote(store, TABLE, old, by_hand())
    assert [each.value["root_run"] for each in pointer(store).history()] == ["quick"]


@pytest.mark.parametrize("part", PARTS)
def test_a_mixture_is_refused_whichever_part_is_of_another_run(store: ObjectStore, commit_set: Any, part: str) -> None:
    ours, other = commit_set("ours"), commit_set("other", day=1, roc_auc=0.9)
    refuse_mixtures(ours)
    with pytest.raises(MixtureError, match=r"root run .*Materialize all of it in one run"):
        promote(store, TABLE, {**ours, part: other[part]}, RULE, by_rule)
    assert pointer(store).read_state().position is None


def test_parts_of_one_root_run_that_were_not_made_from_each_other_are_a_mixture(
    store: ObjectStore, commit_set: Any
) -> None:
    parts = commit_set("ours")
    model = parts["trained_model"]
    facts = {**model.manifest.facts, "loan_dataset_sha256": "f" * 64}
    other = replace(model, manifest=replace(model.manifest, facts=facts))
    with pytest.raises(MixtureError, match=r"trained_model was made from loan_dataset ffffffffffff…, not"):
        promote(store, TABLE, {**parts, "trained_model": other}, RULE, by_rule)
    assert pointer(store).read_state().position is None


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    ("damage", "refusal"),
    [
        (None, "was deleted after it was written"),
        (b"other bytes", "was truncated or extended after it was written"),
    ],
)
def test_a_set_with_a_damaged_file_is_not_promoted_by_rule_or_hand(
    store: ObjectStore, commit_set: Any, part: str, damage: bytes | None, refusal: str
) -> None:
    parts = commit_set("ours")
    last = parts[part].manifest.files[-1]
    store.delete(last.key)
    if damage:
        store.create(last.key, damage)
    for rule, decision in ((by_rule, RULE), (None, by_hand())):
        with pytest.raises(ArtifactError, match=refusal):
            promote(store, TABLE, parts, decision, rule)
    assert pointer(store).read_state().position is None


def test_the_set_of_a_run_is_that_of_its_metrics_or_is_refused_by_what_it_lacks(
    store: ObjectStore, commit_set: Any
) -> None:
    parts = commit_set("ours")
    assert find_set(store, "ours") == parts
    with pytest.raises(NoSuchSet, match="root run another committed no loan_dataset"):
        find_set(store, "another")
    store.delete(f"{parts['model_metrics'].place}/manifest.json")
    with pytest.raises(NoSuchSet, match="root run ours committed no model_metrics"):
        find_set(store, "ours")
