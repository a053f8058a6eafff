"""Events that are written in pages must leave what Dagster leaves one by one, or its UI shows another history."""

from contextlib import closing
from importlib import import_module
from typing import Any

import dagster as dg
import psycopg2
import pytest
from sqlalchemy import Engine
from sqlalchemy import event as hooks

from resources.history.partitions import (
    PartitionRecord,
    make_entry,
    make_materialization_event,
    make_planned_event,
    plan_partitions,
    read_recorded,
    record_partitions,
)
from resources.instance.storage import BATCH_SIZE

ONE, OTHER = dg.AssetKey("one"), dg.AssetKey(["north", "other"])
TABLES = {
    "event_logs": "id, run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition",
    "asset_keys": "asset_key, last_materialization, last_run_id, asset_details, wipe_timestamp,"
    " last_materialization_timestamp, tags, cached_status_data",
    "asset_event_tags": "event_id, asset_key, key, value, event_timestamp",
    "asset_check_executions": "asset_key, check_name, partition, run_id, execution_status, evaluation_event,"
    " evaluation_event_timestamp, evaluation_event_storage_id, materialization_event_storage_id",
}
TURNS = """SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
  WHERE locktype = 'advisory' AND granted AND datname = current_database()"""
PLACES = dg.StaticPartitionsDefinition([f"place {number:04}" for number in range(600)])


@dg.asset(partitions_def=PLACES)
def places() -> None:
    """As many partitions as a run asks for."""


def plan(asset: dg.AssetKey, *names: str) -> list[dg.DagsterEvent]:
    return [make_planned_event("wave", "score", asset, name) for name in names]


def make(asset: dg.AssetKey, *names: str) -> list[dg.DagsterEvent]:
    records = [PartitionRecord(name, f"digest of {name}", {"rows": 3}, {"team": "north"}) for name in names]
    return [make_materialization_event("wave", "score", asset, each, "1") for each in records]


def observe(asset: dg.AssetKey, name: str) -> dg.DagsterEvent:
    events: Any = import_module("dagster._core.events")
    observation = dg.AssetObservation(asset, partition=name, metadata={"seen": 1}, tags={"dagster/data_version": "2"})
    data = events.AssetObservationData(observation)
    return dg.DagsterEvent("ASSET_OBSERVATION", "wave", step_key="score", event_specific_data=data)


def check(asset: dg.AssetKey) -> dg.DagsterEvent:
    checks: Any = import_module("dagster._core.definitions.asset_checks.asset_check_evaluation")
    data = checks.AssetCheckEvaluationPlanned(asset_key=asset, check_name="is_whole")
    return dg.DagsterEvent("ASSET_CHECK_EVALUATION_PLANNED", "wave", step_key="score", event_specific_data=data)


BATCHES = {
    "planned": plan(ONE, "a", "b", "c"),
    "planned, of two assets": [*plan(ONE, "a", "b"), *plan(OTHER, "a"), *plan(ONE, "c")],
    "materialized": [*plan(ONE, "a", "b"), *make(ONE, "b", "a")],
    "materialized, of two assets": make(ONE, "a", "b") + make(OTHER, "a") + make(ONE, "c") + make(OTHER, "b"),
    "observed": [*make(ONE, "a"), observe(ONE, "a"), observe(OTHER, "a"), observe(ONE, "b")],
    "all kinds, mixed": [
        *plan(ONE, "a"),
        check(ONE),
        *plan(OTHER, "a"),
        *make(ONE, "a"),
        *plan(ONE, "b"),
        check(OTHER),
    ],
    "nothing": [],
}


def read_tables(url: str) -> dict[str, list[tuple[Any, ...]]]:
    found = {}
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        for table, columns in TABLES.items():
            cursor.execute(f"SELECT {columns} FROM {table} ORDER BY 1, 2, 3")
            found[table] = cursor.fetchall()
    return found


def count_inserts(statements: list[str]) -> int:
    return sum(each.startswith("INSERT INTO event_logs") for each in statements)


def materialize_range(instance: dg.DagsterInstance, size: int) -> str:
    """One run of unmodified Dagster over the first partitions; its id."""
    keys = PLACES.get_partition_keys()
    tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[size - 1]}
    result = dg.materialize([places], instance=instance, tags=tags)
    assert result.success
    return result.run_id


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_a_batch_leaves_every_table_as_dagsters_own_storage_leaves_it_event_by_event(emptied, batch) -> None:
    entries = [make_entry(event, "a run", 1_700_000_000.5 + number) for number, event in enumerate(batch)]
    (instance, our_url), (stock, stock_url) = emptied["ours"], emptied["stock"]
    instance.event_log_storage.store_event_batch(entries)
    for entry in entries:
        stock.event_log_storage.store_event(entry)
    ours = read_tables(our_url)
    assert ours == read_tables(stock_url)
    assert len(ours["event_logs"]) == len(batch)


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_single_events_leave_every_table_as_dagsters_own_storage_leaves_it(emptied, batch) -> None:
    for instance, _ in emptied.values():
        for number, event in enumerate(batch):
            instance.report_dagster_event(event, "a run", timestamp=1_700_000_000.5 + number)
    assert read_tables(emptied["ours"][1]) == read_tables(emptied["stock"][1])


def test_a_page_costs_the_same_few_statements_and_connections_for_one_partition_and_for_five_hundred(
    ours, statements, connections
) -> None:
    def report(asset: str, size: int) -> None:
        names, where = [f"{number}" for number in range(size)], (ours, "a run", "wave", "score", dg.AssetKey(asset))
        plan_partitions(*where, names)
        record_partitions(*where, [PartitionRecord(name, "1", {"rows": 3}) for name in names])

    report("first", 1)  # what a process asks once
    costs = {}
    for size in (1, 500, 1500):
        statements.clear()
        connections.clear()
        report(f"of {size}", size)
        costs[size] = len(statements)
        assert len(connections) <= 1
    assert costs[1] == costs[500] <= 10
    assert costs[1500] == 3 * costs[500]


def test_unmodified_dagster_plans_and_records_a_range_of_partitions_in_pages(ours, statements) -> None:
    run = materialize_range(ours, 60)
    few = count_inserts(statements)
    statements.clear()
    run = materialize_range(ours, 600)
    assert count_inserts(statements) == few + 2, "two pages each, of planned events and of materializations"
    for kind in (dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED, dg.DagsterEventType.ASSET_MATERIALIZATION):
        assert ours.get_asset_partitions_for_run(run, kind) == {places.key: set(PLACES.get_partition_keys())}


def test_a_size_of_batches_that_somebody_has_chosen_stays(opened, statements, monkeypatch) -> None:
    monkeypatch.setenv(BATCH_SIZE, "0")
    with opened() as instance:
        materialize_range(instance, 60)
    assert count_inserts(statements) > 2 * 60


def test_a_batch_of_several_kinds_that_can_not_be_written_leaves_nothing_for_dagsters_second_try_to_repeat(
    ours,
) -> None:
    unstorable = make_planned_event("wave", "score", ONE, "no text \0 of PostgreSQL")
    entries = [make_entry(event, "a run", 1_700_000_000.5) for event in (*plan(ONE, "a"), check(ONE), unstorable)]
    with pytest.raises(ValueError, match="NUL"):
        ours.event_log_storage.store_event_batch(entries)
    assert not ours.event_log_storage.get_logs_for_run("a run")
    for entry in entries[:2]:
        ours.event_log_storage.store_event(entry)
    assert len(ours.event_log_storage.get_logs_for_run("a run")) == 2


def test_a_check_that_is_planned_twice_has_one_row_and_another_run_has_a_row_of_its_own(emptied) -> None:
    instance, url = emptied["ours"]
    for run in ("a run", "a run", "another run"):
        instance.event_log_storage.store_event_batch([make_entry(check(ONE), run, 1_700_000_000.5)])
    rows = read_tables(url)["asset_check_executions"]
    assert [row[3] for row in rows] == ["a run", "another run"], "Dagster ends a run that evaluates a check of two rows"


def test_checks_that_are_planned_alone_take_a_turn_as_the_events_of_an_asset_do(emptied) -> None:
    instance, url = emptied["ours"]
    turns: list[Any] = []

    def count(_connection, _cursor, statement, *_) -> None:
        if statement.startswith("INSERT INTO event_logs"):
            with closing(psycopg2.connect(url)) as other, other.cursor() as cursor:
                cursor.execute(TURNS)
                turns.extend(cursor.fetchone() or ())

    hooks.listen(Engine, "before_cursor_execute", count)
    try:
        for planned in (check(ONE), *plan(ONE, "a")):
            instance.event_log_storage.store_event_batch([make_entry(planned, "a run", 1_700_000_000.5)])
    finally:
        hooks.remove(Engine, "before_cursor_execute", count)
    assert turns == [1, 1], "without a turn, nobody can tell whether an earlier try has stored a page"


def test_a_page_that_can_not_be_written_stores_nothing_of_itself_and_the_pages_before_it_stay(ours) -> None:
    where = (ours, "a run", "wave", "score", ONE)
    records = [PartitionRecord(f"{number}", "1") for number in range(600)]
    unstorable = PartitionRecord("no text \0 of PostgreSQL", "1")
    with pytest.raises(ValueError, match="NUL"):
        record_partitions(*where, [*records[:550], unstorable, *records[550:]])
    stored = read_recorded(ours, ["a run"], ONE)
    assert stored == {f"{number}" for number in range(500)}
    record_partitions(*where, [each for each in records if each.partition not in stored])
    assert len(ours.event_log_storage.get_materialized_partitions(ONE)) == 600
    (latest,) = ours.fetch_materializations(ONE, limit=1).records
    assert latest.partition_key == "599"


@pytest.mark.parametrize(("storage", "asked"), [("ours", False), ("stock", True)])
def test_the_columns_of_assets_are_not_asked_for_again_with_every_asset(emptied, statements, storage, asked) -> None:
    instance, _ = emptied[storage]
    instance.get_asset_records([dg.AssetKey("an asset")])
    statements.clear()
    instance.get_asset_records([dg.AssetKey("an asset")])
    assert any("pg_attribute" in statement for statement in statements) is asked
