"""What the events of many partitions use of Dagster without a public name. A release that changes it must fail here.

The list and the reasons: docs/decisions/code/0018-events-of-many-partitions-in-pages.md.
"""

import inspect
import re
from importlib import import_module
from typing import Any

import dagster as dg
import pytest
from dagster_postgres import PostgresEventLogStorage

from resources.history import partitions
from resources.instance.event_log_storage import PAGED, PLANNED_CHECK
from resources.instance.run_page import RunPageStorage
from resources.instance.storage import BATCH_SIZE

EVENTS: Any = import_module("dagster._core.events")


def parameters(function: Any) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name not in ("self", "cls", "_cls")]


def test_events_of_partitions_are_made_of_what_we_give() -> None:
    assert parameters(EVENTS.AssetMaterializationPlannedData)[:2] == ["asset_key", "partition"]
    assert parameters(EVENTS.StepMaterializationData)[0] == "materialization"
    assert parameters(dg.DagsterEvent.build_asset_materialization_planned_event) == [
        "job_name",
        "step_key",
        "asset_materialization_planned_data",
    ]
    assert {"event_type_value", "job_name", "step_key", "event_specific_data", "message"} <= set(
        parameters(dg.DagsterEvent)
    )
    assert set(parameters(dg.EventLogEntry)) == {
        "error_info", "level", "user_message", "run_id", "timestamp", "step_key", "job_name", "dagster_event",
    }  # fmt: skip


def test_versions_have_the_tags_by_which_we_write_them() -> None:
    tags: Any = import_module("dagster._core.definitions.data_version")
    assert tags.DATA_VERSION_TAG == partitions.DATA_VERSION
    assert tags.CODE_VERSION_TAG == partitions.CODE_VERSION
    assert tags.DATA_VERSION_IS_USER_PROVIDED_TAG == partitions.OWN_DATA_VERSION


def test_every_event_that_we_write_in_pages_is_one_that_dagster_gives_in_batches() -> None:
    dropped = {dg.DagsterEventType.ASSET_FAILED_TO_MATERIALIZE}
    assert EVENTS.BATCH_WRITABLE_EVENTS - dropped == set(PAGED), "what Dagster drops is the only kind that we drop"
    assert "not event.get_dagster_event().is_asset_failed_to_materialize" in inspect.getsource(
        PostgresEventLogStorage.store_event_batch
    )
    assert set(PAGED) - {PLANNED_CHECK} <= EVENTS.ASSET_EVENTS


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("store_event", ["event"]),
        ("store_event_batch", ["events"]),
        ("prepare_insert_event", ["event"]),
        ("_event_to_row", ["event"]),
        ("index_transaction", []),
        ("_store_asset_event_tags", ["conn", "events", "event_ids"]),
        ("_store_asset_event", ["conn", "event", "event_id"]),
        ("has_asset_key_col", ["column_name"]),
        ("_has_asset_key_col_on_connection", ["conn", "column_name"]),
    ],
)
def test_a_page_is_written_by_these_parts_of_dagsters_storage(name, expected) -> None:
    assert parameters(getattr(PostgresEventLogStorage, name)) == expected


def test_dagsters_storage_does_nothing_more_with_an_event_of_an_asset() -> None:
    """A step that is new in one of its two ways must be new in ours too."""
    for store in (PostgresEventLogStorage.store_event, PostgresEventLogStorage.store_event_batch):
        calls = {line.strip().split("(")[0] for line in inspect.getsource(store).splitlines() if "self._store" in line}
        assert calls == {"self._store_asset_event_tags", "self._store_asset_event"}
    for prepare in (PostgresEventLogStorage.prepare_insert_event, PostgresEventLogStorage.prepare_insert_event_batch):
        assert "self._event_to_row(event)" in inspect.getsource(prepare)
    planned = inspect.getsource(getattr(PostgresEventLogStorage, "_store_asset_check_evaluation_planned"))  # noqa: B009
    assert re.findall(r"^ +(\w+)=", planned, re.MULTILINE) == [
        "asset_key", "check_name", "partition", "run_id", "execution_status",
        "evaluation_event", "evaluation_event_timestamp", "evaluation_event_storage_id",
    ]  # fmt: skip
    assert "LISTEN/NOTIFY no longer used" in inspect.getsource(PostgresEventLogStorage.store_event)
    assert "READ COMMITTED" in inspect.getsource(PostgresEventLogStorage.index_transaction)


def test_the_status_of_partitions_reads_only_what_is_above_the_greatest_id_it_has_seen() -> None:
    """If it does not any more, writers of one asset need not wait for each other."""
    source = inspect.getsource(import_module("dagster._core.storage.partition_status_cache"))
    assert "after_cursor=stored_cache_value.latest_storage_id" in source


def test_dagster_reads_the_size_of_a_batch_from_this_variable(monkeypatch) -> None:
    utils: Any = import_module("dagster._core.instance.utils")
    read = getattr(utils, "_get_event_batch_size")  # noqa: B009
    monkeypatch.delenv(BATCH_SIZE, raising=False)
    assert read() == 0
    monkeypatch.setenv(BATCH_SIZE, "500")
    assert read() == 500
    source = inspect.getsource(dg.DagsterInstance.handle_new_event) + inspect.getsource(
        import_module("dagster._core.instance.methods.event_methods")
    )
    assert "_event_storage_impl.store_event_batch(events)" in source


def test_an_instance_answers_which_partitions_a_run_made_without_decoding_events() -> None:
    assert parameters(dg.DagsterInstance.get_asset_partitions_for_run) == ["run_id", "of_type"]
    assert isinstance(inspect.getattr_static(dg.DagsterInstance, "event_log_storage"), property)
    assert "deserialize" not in inspect.getsource(PostgresEventLogStorage.get_asset_partitions_for_run)


def test_the_page_of_a_run_is_read_with_what_we_override() -> None:
    stats: Any = import_module("dagster._core.execution.stats")
    assert parameters(stats.build_run_step_stats_from_events) == ["run_id", "entries"]
    assert dg.DagsterEventType.ASSET_MATERIALIZATION in stats.STEP_STATS_EVENT_TYPES, "then ours is of no use any more"
    for name in ("get_records_for_run", "get_step_stats_for_run"):
        assert parameters(getattr(RunPageStorage, name)) == parameters(getattr(PostgresEventLogStorage, name))
    base: Any = import_module("dagster._core.storage.event_log.base")
    assert list(base.EventLogConnection._fields) == ["records", "cursor", "has_more"]
    cursor: Any = import_module("dagster._core.event_api").EventLogCursor
    assert cursor.parse(cursor.from_storage_id(7).to_string()).storage_id() == 7
    graphql: Any = import_module("dagster_graphql.implementation.execution")
    assert "instance.get_records_for_run" in inspect.getsource(graphql.gen_events_for_run)
    assert "of_type" not in inspect.getsource(graphql.gen_events_for_run), "the log of a run is read without types"
