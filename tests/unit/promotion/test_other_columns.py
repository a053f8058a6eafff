"""Two settings files may name one table in one store: what looks like a newer model may be one of another database."""

from typing import Any

import pytest

from credit_assets.promotion.model_set import OtherColumns, refuse_other_columns
from credit_assets.promotion.promote import Decision, Outcome, promote, warn_of_other_columns
from credit_assets.promotion.table_pointer import open_pointer
from credit_assets.settings.columns import Column, Table
from credit_assets.settings.file import Settings
from credit_assets.settings.learning.target import Target
from resources.store.object_store import ObjectStore

RULE, TABLE = Decision("rule", "run", "run"), "loans"


def declare(*features: str, type: Any = "number") -> Settings:
    columns = {name: Column(type=type) for name in features}
    return Settings(table=Table(name=TABLE), target=Target(column="bad"), features=columns)


def warnings(store: ObjectStore, outcome: Outcome, settings: Settings) -> list[str]:
    said: list[str] = []
    warn_of_other_columns(store, outcome, settings, said.append)
    return said


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (declare("income"), "region is a feature of type double there and no column in the settings"),
        (declare("income", "region", "age"), "age is no column there and a feature of type double in the settings"),
        (declare("income", "region", type="integer"), "region is a feature of type double there and a feature of type"),
    ],
    ids=["one more", "one less", "another type"],
)
def test_a_set_of_other_columns_is_refused_by_hand_and_the_error_says_which_and_the_way_out(
    commit_set: Any, settings: Settings, expected: str
) -> None:
    with pytest.raises(OtherColumns) as refused:
        refuse_other_columns(commit_set("root", table=TABLE, features=("income", "region")), settings)
    for words in (expected, "use another PLATFORM_STORE", "accept_other_columns"):
        assert words in str(refused.value)


def test_a_set_of_the_same_columns_in_another_order_is_not_refused(commit_set: Any) -> None:
    refuse_other_columns(commit_set("root", features=("income", "region")), declare("region", "income"))


def test_a_set_whose_manifests_record_no_columns_can_still_be_promoted(commit_set: Any) -> None:
    refuse_other_columns(commit_set("root"), declare("income"))


def test_after_a_change_of_columns_the_rule_warns_once_and_between_two_tables_of_one_name_every_time(
    store: ObjectStore, commit_set: Any
) -> None:
    said = []
    for day, features in enumerate((["a"], ["a", "b"], ["a", "b"], ["a"], ["a", "b"]), start=1):
        outcome = promote(store, TABLE, commit_set(f"{day}", day, table=TABLE, features=features), RULE)
        said.append(warnings(store, outcome, declare(*features)))
    assert [len(each) for each in said] == [0, 1, 0, 1, 1]
    assert "promotion 1 was made from other columns than the settings declare: b is no column there" in said[1][0]
    assert "use another PLATFORM_STORE" in said[1][0]


def test_a_refused_model_is_told_that_the_one_in_use_has_other_columns(store: ObjectStore, commit_set: Any) -> None:
    promote(store, TABLE, commit_set("theirs", table=TABLE, features=["a"]), RULE)
    refused = promote(store, TABLE, commit_set("ours", table=TABLE, features=["b"]), RULE, lambda *_: "it is worse")
    assert not refused.moved
    (warning,) = warnings(store, refused, declare("b"))
    assert warning.startswith("promotion 1 was made from other columns")


def test_a_lost_manifest_of_the_model_before_is_a_warning_and_fails_no_promotion(
    store: ObjectStore, commit_set: Any
) -> None:
    promote(store, TABLE, commit_set("old", table=TABLE, features=["a"]), RULE)
    store.delete(f"{open_pointer(store, TABLE).at(1).value['set']['trained_model']['place']}/manifest.json")
    outcome = promote(store, TABLE, commit_set("new", 1, table=TABLE, features=["a"]), RULE)
    assert outcome.moved
    (warning,) = warnings(store, outcome, declare("a"))
    assert "are not known" in warning
