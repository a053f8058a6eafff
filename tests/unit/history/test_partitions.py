"""An event that Dagster reads differently than it was meant shows a partition as made that was not."""

import dagster as dg
import pytest

from resources.errors import PlatformError
from resources.history.partitions import (
    PartitionRecord,
    PartitionsError,
    make_entry,
    make_materialization_event,
    make_planned_event,
    refuse_unclear,
)

ASSET = dg.AssetKey(["north", "places"])
STEP = ("score", "north__places", ASSET)


def test_a_planned_event_names_its_partition_and_materializes_nothing() -> None:
    event = make_planned_event(*STEP, "harbour")
    assert event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
    assert (event.asset_key, event.partition, event.step_key, event.job_name) == (
        ASSET, "harbour", "north__places", "score",
    )  # fmt: skip
    assert not event.is_step_materialization


def test_a_materialization_has_its_digest_as_data_version_whatever_its_other_tags_say() -> None:
    tags = {"team": "north", "dagster/data_version": "another", "dagster/code_version": "another"}
    record = PartitionRecord(
        "harbour", "sha256:1", {"rows": 7, "share": 0.5, "place": dg.MetadataValue.path("/a")}, tags
    )
    made = make_materialization_event(*STEP, record, code_version="3").step_materialization_data.materialization
    assert made.partition == "harbour"
    assert made.tags == {
        "team": "north",
        "dagster/data_version": "sha256:1",
        "dagster/data_version_is_user_provided": "true",
        "dagster/code_version": "3",
    }
    assert {name: each.value for name, each in made.metadata.items()} == {"rows": 7, "share": 0.5, "place": "/a"}


def test_without_a_code_version_a_materialization_has_none() -> None:
    made = make_materialization_event(*STEP, PartitionRecord("harbour", "sha256:1"))
    assert "dagster/code_version" not in (made.step_materialization_data.materialization.tags or {})


@pytest.mark.parametrize("name", ["", "a" * 200, "a/b\\c", 'it\'s "one"', "🏝️ Insel", " ", "None"])
def test_an_entry_comes_back_from_its_stored_form_as_it_was(name) -> None:
    for event in (make_planned_event(*STEP, name), make_materialization_event(*STEP, PartitionRecord(name, "1"))):
        entry = make_entry(event, "a run", 1_700_000_000.25)
        read = dg.deserialize_value(dg.serialize_value(entry), dg.EventLogEntry)
        assert read == entry
        assert read.get_dagster_event().partition == name
        assert (read.run_id, read.step_key, read.job_name) == ("a run", "north__places", "score")


@pytest.mark.parametrize(("partitions", "said"), [(["a", ""], "empty name"), (["a", "b", "a"], "'a' occurs 2 times")])
def test_a_partition_without_a_name_or_one_that_occurs_twice_is_refused(partitions, said) -> None:
    with pytest.raises(PartitionsError, match=said) as refused:
        refuse_unclear(partitions)
    assert isinstance(refused.value, PlatformError)


def test_names_that_only_look_alike_are_accepted() -> None:
    refuse_unclear([])
    refuse_unclear(["a", "A", "a ", " "])
