"""A wave whose retry makes another plan scores with two models, or scores a location twice or never."""

from dataclasses import replace

import pytest

from credit_assets.waves.plans.plan import Plan, PlanError, keep_plan, refuse_other_config
from resources.store.object_store import ObjectStore

PLAN = Plan("root", "2026-01-01T00:00:00+00:00", 3, "a" * 64, ("x", 'é"/🏦', "a"), (5, 0, 7), ("unknown",))


def refuse() -> Plan:
    raise AssertionError("a second plan was made")


def test_a_retry_reads_the_plan_that_the_first_attempt_wrote(store: ObjectStore) -> None:
    assert keep_plan(store, "wave", "root", lambda: PLAN) == PLAN
    assert keep_plan(store, "wave", "root", refuse) == PLAN
    assert keep_plan(store, "wave", "another", lambda: replace(PLAN, wave="another")).wave == "another"


def test_of_two_attempts_that_plan_at_once_the_plan_that_was_written_first_stands(store: ObjectStore) -> None:
    other = replace(PLAN, model_number=4)

    def make_while_another_writes() -> Plan:
        keep_plan(store, "wave", "root", lambda: PLAN)
        return other

    assert keep_plan(store, "wave", "root", make_while_another_writes) == PLAN


def test_a_plan_that_was_changed_or_is_of_another_release_is_refused(store: ObjectStore) -> None:
    store.create("wave/changed/plan.json", b'{"wave": "changed"}')
    with pytest.raises(PlanError, match=r"wave/changed/plan\.json can't be read as the plan of a wave"):
        keep_plan(store, "wave", "changed", refuse)
    store.create("wave/cut/plan.json", replace(PLAN, rows=(5,)).to_bytes())
    with pytest.raises(PlanError, match=r"wave/cut/plan\.json can't be read as the plan of a wave"):
        keep_plan(store, "wave", "cut", refuse)
    store.create("wave/older/plan.json", b'{"wave": "older", "chunks": [["x"]], "plan_version": 1}')
    with pytest.raises(PlanError, match=r"has version 1; this release reads 3\. Start a new wave"):
        keep_plan(store, "wave", "older", refuse)


def test_a_retry_with_another_config_than_its_plan_is_refused_and_names_what_differs() -> None:
    plan = replace(PLAN, asked={"locations": [], "only_failed": False})
    refuse_other_config(plan, {"locations": [], "only_failed": False})
    with pytest.raises(PlanError, match=r"run root was planned with another config \(locations\)"):
        refuse_other_config(plan, {"locations": ["a"], "only_failed": False})


def test_a_plan_keeps_the_order_of_its_locations_and_names_the_rows_of_each(store: ObjectStore) -> None:
    keep_plan(store, "wave", "root", lambda: PLAN)
    read = keep_plan(store, "wave", "root", refuse)
    assert list(read.count_rows().items()) == [("x", 5), ('é"/🏦', 0), ("a", 7)]
    assert PLAN.sha256 != replace(PLAN, rows=(5, 1, 7)).sha256
