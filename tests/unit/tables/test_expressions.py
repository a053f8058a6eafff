"""A statement that converts a value wrongly stores another one, and no check sees the difference."""

from datetime import UTC, datetime

import pytest

from credit_assets.settings.columns import Column
from credit_assets.tables.expressions import TimeColumn, order_by, select_columns, select_time, select_value
from credit_assets.tables.kinds import ColumnType, has_text_ids, list_kinds, make_plain_types

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
DATE, ZONED = ColumnType("date", "date"), ColumnType("timestamp with time zone", "timestamp with time zone")


def test_columns_of_plain_types_are_read_as_they_are() -> None:
    kinds = {"i": "integer", "n": "number", "c": "category", "k": "id", "t": "time"}
    columns = select_columns(kinds, {}, make_plain_types(kinds), "UTC", NOON)
    assert list(columns) == list(kinds)
    assert ", ".join(columns.values()) == '"i", "n", "c", "k", "t"::timestamp'


def test_a_text_that_ignores_capitals_is_read_as_it_is_and_sorted_by_its_characters() -> None:
    citext = ColumnType("public.citext", "citext")
    assert {"category", "id"} == list_kinds(citext)
    assert has_text_ids(citext)
    assert select_value("x", "category", citext) == '"x"'
    assert order_by("x", citext) == '"x"::text COLLATE "C"'


@pytest.mark.parametrize(
    ("found", "kinds"),
    [
        (ColumnType("numeric", "numeric"), {"integer", "number", "id"}),
        (ColumnType("numeric", "numeric", is_whole=True), {"integer", "number", "category", "id"}),
        (ColumnType("flag", "boolean"), {"boolean", "category"}),
        (ColumnType("date", "date"), {"date", "time"}),
        (ColumnType("uuid", "uuid"), {"category", "id"}),
        (ColumnType("json", "json"), set()),
        (ColumnType("numeric[]", "numeric[]"), set()),
    ],
)
def test_a_type_has_the_kinds_that_it_can_be_read_as_and_no_other(found: ColumnType, kinds: set[str]) -> None:
    assert list_kinds(found) == kinds


def test_a_time_of_a_zone_is_a_moment_and_one_with_a_zone_of_its_own_keeps_it() -> None:
    assert select_time(TimeColumn("t", DATE, "Asia/Tokyo")) == "(\"t\"::timestamp AT TIME ZONE 'Asia/Tokyo')::timestamp"
    assert select_time(TimeColumn("t", ZONED, "Asia/Tokyo")) == '"t"::timestamp'


def test_a_date_is_read_as_its_age_before_the_time_that_is_declared() -> None:
    declared = {"born": Column(type="date"), "hired": Column(type="date", before="created")}
    found = {"born": DATE, "hired": DATE, "created": ZONED}
    born, hired = select_columns({"born": "date", "hired": "date"}, declared, found, "UTC", NOON).values()
    assert "('2026-07-01T12:00:00+00:00'::timestamptz AT TIME ZONE 'UTC') - \"born\"::timestamp" in born
    assert '("created" AT TIME ZONE \'UTC\') - "hired"::timestamp' in hired
    assert "2026" not in hired
