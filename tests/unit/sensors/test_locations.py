"""Partitions that are not the locations of the database show branches that are gone, and hide new ones."""

import dagster as dg

from sensors.locations import compare


def changes(existing: list[str], partitions: list[str]) -> dict[str, list[str]]:
    result = compare(existing, partitions)
    assert isinstance(result, dg.SensorResult)
    return {type(each).__name__: list(each.partition_keys) for each in result.dynamic_partitions_requests or ()}


def test_new_locations_are_added_and_those_that_left_are_deleted() -> None:
    assert changes(["a", "c", "é/🏦"], ["a", "b"]) == {
        "AddDynamicPartitionsRequest": ["c", "é/🏦"],
        "DeleteDynamicPartitionsRequest": ["b"],
    }
    assert changes(["a"], []) == {"AddDynamicPartitionsRequest": ["a"]}
    assert changes(["a"], ["a", "b"]) == {"DeleteDynamicPartitionsRequest": ["b"]}


def test_the_same_locations_change_nothing() -> None:
    assert compare(["b", "a"], ["a", "b"]) == dg.SkipReason("the 2 partitions are the locations of the table")


def test_a_table_that_became_empty_deletes_no_partition() -> None:
    skipped = compare([], ["a", "b"])
    assert isinstance(skipped, dg.SkipReason)
    assert "its 2 partitions stay" in str(skipped.skip_message)
