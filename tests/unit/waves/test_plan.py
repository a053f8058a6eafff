"""A wave whose retry makes another plan scores with two models, or scores a location twice or never."""

from dataclasses import replace

import pytest

from credit_assets.waves.plans.plan import Plan, PlanError, keep_plan, refuse_other_config, split_chunks
from resources.store.object_store import ObjectStore

PLAN = Plan("root", "2026-01-01T00:00:00+00:00", 3, "a" * 64, (("x", 'é"/🏦'), ("y",)), ("unknown",))


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
    store.create("wave/cut/plan.json", replace(PLAN, chunks=3).to_bytes())  # pyright: ignore[reportArgumentType]
    with pytest.raises(PlanError, match=r"wave/cut/plan\.json can't be read as the plan of a wave"):
        keep_plan(store, "wave", "cut", refuse)
    store.create("wave/newer/plan.json", replace(PLAN, plan_version=2).to_bytes())
    with pytest.raises(PlanError, match="has version 2; this release reads 1"):
        keep_plan(store, "wave", "newer", refuse)


def test_a_retry_with_another_config_than_its_plan_is_refused_and_names_what_differs() -> None:
    plan = replace(PLAN, asked={"locations": [], "only_failed": False})
    refuse_other_config(plan, {"locations": [], "only_failed": False})
    with pytest.raises(PlanError, match=r"run root was planned with another config \(locations\)"):
        refuse_other_config(plan, {"locations": ["a"], "only_failed": False})


def test_chunks_have_few_locations_and_few_rows_and_each_location_once() -> None:
    rows = {f"{number:04d}": 10 for number in range(250)} | {"huge": 5_000, "after": 0}
    chunks = split_chunks(rows, most_locations=100, most_rows=900)
    assert [location for chunk in chunks for location in chunk] == list(rows)
    assert all(len(chunk) <= 100 for chunk in chunks)
    assert all(sum(rows[each] for each in chunk) <= 900 for chunk in chunks if chunk != ("huge",))
    assert ("huge",) in chunks
    assert split_chunks({}) == []
    assert split_chunks({"only": 10**9}) == [("only",)]


def test_the_locations_of_a_plan_are_those_of_its_chunks() -> None:
    assert PLAN.locations == ["x", 'é"/🏦', "y"]
    assert PLAN.sha256 != replace(PLAN, chunks=(("x",), ("y",))).sha256
