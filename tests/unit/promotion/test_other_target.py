"""A model of another outcome has the same columns, and perhaps better figures: only its record tells the difference.

Without these a model that predicts 30 days past due takes the place of one that predicts 90, or scores for it.
"""

from typing import Any

import pytest

from credit_assets.promotion.lineage import trace_back
from credit_assets.promotion.model_set import refuse_set_of_other_target
from credit_assets.promotion.promote import Decision, promote, promote_by_hand
from credit_assets.promotion.rule import Contender, find_objections
from credit_assets.settings.columns import Column, Table
from credit_assets.settings.file import Settings
from credit_assets.settings.learning.target import OtherTarget, Target
from credit_assets.settings.limits import Promotion
from resources.store.object_store import ObjectStore

RULE, TABLE = Decision("rule", "run", "run"), "loans"
NINETY, THIRTY = ({"column": "days", "at_least": bound} for bound in (90.0, 30.0))


def declare(at_least: float) -> Settings:
    target = Target(column="days", at_least=at_least)
    return Settings(table=Table(name=TABLE), target=target, features={"income": Column(type="number")})


def by_rule(challenger: Contender, champion: Contender | None) -> str | None:
    return find_objections(challenger, champion, Promotion(minimum_auc=0.5, maximum_auc_loss=0.1))


def test_the_rule_does_not_compare_two_outcomes_and_a_person_may_promote_the_new_one_once(
    store: ObjectStore, commit_set: Any
) -> None:
    ninety, thirty, next_one = (
        commit_set(f"day {day}", day, roc_auc, table=TABLE, target=target)
        for day, (roc_auc, target) in enumerate([(0.9, NINETY), (0.6, THIRTY), (0.6, THIRTY)])
    )
    assert promote(store, TABLE, ninety, RULE, by_rule).moved
    refused = promote(store, TABLE, thirty, RULE, by_rule)
    assert not refused.moved
    assert "target.at_least is 90.0 there and 30.0 here" in str(refused.refused)
    assert "by hand" in str(refused.refused)
    assert "maximum_auc_loss" not in str(refused.refused)
    assert promote_by_hand(store, TABLE, thirty, Decision("hand", "x", "x", "Ada", "30 days from now on")).moved
    assert promote(store, TABLE, next_one, RULE, by_rule).moved


def test_a_model_of_a_release_that_recorded_no_target_is_compared_as_ever(store: ObjectStore, commit_set: Any) -> None:
    old, new = commit_set("old", table=TABLE), commit_set("new", 1, table=TABLE, target=THIRTY)
    position = promote(store, TABLE, old, RULE, by_rule).position
    assert position
    assert "target" not in position.value
    refuse_set_of_other_target(old, declare(90))
    assert promote(store, TABLE, new, RULE, by_rule).moved


def test_a_set_of_another_outcome_is_refused_with_both_bounds_and_the_way_out(commit_set: Any) -> None:
    parts = commit_set("root", table=TABLE, target=NINETY)
    refuse_set_of_other_target(parts, declare(90))
    with pytest.raises(OtherTarget) as refused:
        refuse_set_of_other_target(parts, declare(30))
    for words in (
        "root run root",
        "target.at_least is 90.0 there and 30.0 in the settings",
        "Give [target]",
        "by hand",
    ):
        assert words in str(refused.value)


def test_lineage_shows_the_outcome_of_a_model_and_says_if_the_settings_declare_another(
    store: ObjectStore, commit_set: Any
) -> None:
    promote(store, TABLE, commit_set("root", table=TABLE, target=NINETY), RULE)
    same, other = (trace_back(store, declare(bound), None, "latest", pytest.fail) for bound in (90, 30))
    assert "  target: at_least 90.0, column days" in same
    assert not any("another outcome" in line for line in same)
    assert any("another outcome than the settings declare: target.at_least is 90.0" in line for line in other)
