"""Lineage that ends in a traceback, or tells of another table's model, leaves an auditor without an answer."""

from typing import Any

import pytest

from credit_assets.promotion.lineage import format_numbers, trace_back, trace_forward
from credit_assets.promotion.model_set import PARTS, NoSuchSet
from credit_assets.promotion.promote import Decision, promote
from credit_assets.promotion.provenance import describe_attempts
from credit_assets.settings.columns import Column, Table
from credit_assets.settings.file import Settings
from credit_assets.settings.learning.target import Target
from resources.store.object_store import ObjectStore
from resources.store.pointers.pointer import PointerEmpty

RULE, TABLE = Decision("rule", "run", "run"), "credit.loans"


def declare(table: str, *features: str) -> Settings:
    columns = {name: Column(type="number") for name in features or ("income",)}
    return Settings(table=Table(name=table), target=Target(column="bad"), features=columns)


SETTINGS = declare(TABLE)


def test_lineage_names_the_numbers_that_a_set_was_promoted_as_and_who_decided(
    store: ObjectStore, commit_set: Any
) -> None:
    first, second = commit_set("first", day=1), commit_set("second", day=2)
    for parts, decision in ((first, RULE), (second, RULE), (first, Decision("hand", "x", "x", "Ada", "because"))):
        promote(store, TABLE, parts, decision)
    assert trace_forward(store, TABLE, list(first.values()))[-1] == "promoted as number 1, 3"
    assert format_numbers(second.values(), {1: set()}) == "never promoted"
    lines = trace_back(store, SETTINGS, None, "latest", pytest.fail)
    assert "by hand, Ada: because" in lines[0]
    assert "  in the place of number 2, roc_auc 0.8000" in lines
    assert any("not shown, because DAGSTER_HOME is not set" in line for line in lines)
    assert "first committed " + ", ".join(PARTS) in describe_attempts("first", first.values(), None)


@pytest.mark.parametrize("name", ["nonsense", "f" * 64, "00000000-0000-4000-8000-000000000000"])
def test_a_name_that_nothing_has_is_an_error_and_no_empty_answer(
    store: ObjectStore, commit_set: Any, name: str
) -> None:
    commit_set("root")
    with pytest.raises(NoSuchSet, match=name):
        trace_back(store, SETTINGS, None, name, pytest.fail)
    with pytest.raises(NoSuchSet, match="nothing of that name"):
        trace_forward(store, TABLE, [])


def test_lineage_of_a_table_does_not_tell_of_the_model_of_another(store: ObjectStore, commit_set: Any) -> None:
    promote(store, TABLE, commit_set("ours"), RULE)
    with pytest.raises(PointerEmpty, match=r"promoted_model/german_credit points at nothing"):
        trace_back(store, declare("german_credit"), None, "latest", pytest.fail)


def test_a_model_that_predicts_no_default_is_promoted_and_its_precision_is_shown_as_undefined(
    store: ObjectStore, commit_set: Any
) -> None:
    for day in (1, 2):
        position = promote(store, TABLE, commit_set(f"day {day}", day=day, precision=None), RULE).position
        assert position
        assert position.value["metrics"]["precision"] is None
    lines = trace_back(store, SETTINGS, None, "latest", pytest.fail)
    assert "precision undefined" in lines[1]
    assert "recall 0.5000" in lines[1]
    assert "  in the place of number 1, roc_auc 0.8000" in lines


def test_lineage_says_which_columns_of_the_model_in_use_are_not_those_of_the_settings(
    store: ObjectStore, commit_set: Any
) -> None:
    promote(store, TABLE, commit_set("root", features=("income", "region")), RULE)
    (line,) = (line for line in trace_back(store, SETTINGS, None, "latest", pytest.fail) if "other columns" in line)
    assert "region is a feature of type double there and no column in the settings" in line
    assert "income" not in line
    assert "PLATFORM_STORE" in line
    same = trace_back(store, declare(TABLE, "region", "income"), None, "1", pytest.fail)
    assert not any("other columns" in line for line in same)
