"""Times without a zone, dates, and times that are none: a loan that falls between two of them is in no dataset.

1,200 loans of a table in local time once stayed out of a dataset without a word, and half of another table with it.
"""

from datetime import UTC, date, datetime, timedelta

import pytest
from psycopg2.extensions import cursor

from credit_assets.loans.table import LoansError, check_table
from tests.assets.columns.conftest import AS_OF, Store, declare

LOANS = "CREATE TABLE loans (id int, created_at {}, default_status int DEFAULT 0, v int DEFAULT 1)"
V = {"v": {"type": "integer"}}


@pytest.mark.parametrize(
    ("sql_type", "zone", "value", "stored"),
    [
        ("timestamp", "UTC", "2026-01-02 03:04:05.678901", datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)),
        ("timestamp", "Asia/Tokyo", "2026-01-02 03:00", datetime(2026, 1, 1, 18, tzinfo=UTC)),
        ("timestamp", "America/New_York", "2026-06-02 03:00", datetime(2026, 6, 2, 7, tzinfo=UTC)),
        ("timestamptz", "Asia/Tokyo", "2026-01-02 03:00+00", datetime(2026, 1, 2, 3, tzinfo=UTC)),
        ("date", "UTC", "2026-01-02", datetime(2026, 1, 2, tzinfo=UTC)),
        ("date", "Asia/Tokyo", "2026-01-02", datetime(2026, 1, 1, 15, tzinfo=UTC)),
        ("date", "UTC", "0001-01-02", datetime(1, 1, 2, tzinfo=UTC)),
    ],
)
def test_a_time_is_stored_as_the_moment_that_it_is_in_its_zone(
    database: cursor, store: Store, sql_type: str, zone: str, value: str, stored: datetime
) -> None:
    database.execute(LOANS.format(sql_type) + f"; INSERT INTO loans VALUES (1, '{value}'), (2, NULL)")
    table, facts = store(declare(V, time_zone=zone))
    assert table.column("created_at").to_pylist() == [stored, None]
    assert facts["left_out"] == 0


def test_loans_in_local_time_are_all_read_if_their_zone_is_named_and_counted_if_it_is_not(
    database: cursor, store: Store
) -> None:
    database.execute(LOANS.format("timestamp"))
    newest = AS_OF.replace(tzinfo=None) + timedelta(hours=9)
    database.execute("INSERT INTO loans SELECT g, %s - g * interval '1 hour' FROM generate_series(1, 12) g", (newest,))
    table, facts = store(declare(V))
    assert (table.num_rows, facts["left_out"]) == (4, 8)
    table, facts = store(declare(V, time_zone="Asia/Tokyo"))
    assert (table.num_rows, facts["left_out"]) == (12, 0)
    assert facts["rows"] == 12


@pytest.mark.parametrize("sql_type", ["timestamp", "timestamptz", "date"])
@pytest.mark.parametrize("value", ["-infinity", "0024-01-05 BC"])
def test_a_time_before_all_years_is_refused_by_column_and_count_before_a_row_is_read(
    database: cursor, store: Store, sql_type: str, value: str
) -> None:
    database.execute(LOANS.format(sql_type) + "; INSERT INTO loans SELECT g, '2026-01-01' FROM generate_series(1, 5) g")
    assert store(declare(V))[0].num_rows == 5
    database.execute("UPDATE loans SET created_at = %s WHERE id < 3", (value,))
    expected = (
        "table loans has infinite times, or times before the year 1 or after the year 9999: created_at: 2 rows; "
        "expected none. Correct them, or name a view without these rows in table.name"
    )
    with pytest.raises(LoansError) as refused:
        store(declare(V))
    assert str(refused.value) == expected


@pytest.mark.parametrize("sql_type", ["timestamp", "timestamptz", "date"])
def test_loans_of_the_time_infinity_are_counted_and_named_apart_from_others_that_are_to_come(
    database: cursor, store: Store, sql_type: str
) -> None:
    database.execute(LOANS.format(sql_type) + "; INSERT INTO loans SELECT g, '2026-01-01' FROM generate_series(1, 9) g")
    database.execute("UPDATE loans SET created_at = 'infinity' WHERE id < 3")
    database.execute("UPDATE loans SET created_at = '10000-01-01' WHERE id = 3")
    for zone in ("UTC", "Asia/Tokyo"):
        table, facts = store(declare(V, time_zone=zone))
        assert (table.num_rows, facts["left_out"], facts["left_out_for_ever"]) == (6, 3, 2)


AGES = {
    "born": {"type": "date"},
    "employed": {"type": "date", "before": "created_at"},
    "paid": {"type": "date", "before": "due"},
}
DATED = """
CREATE TABLE loans (id int, created_at timestamptz, default_status int, born date, employed timestamp, paid date,
    due date);
INSERT INTO loans VALUES
    (1, '2026-06-01 00:00+00', 0, '2026-01-01', '2026-05-31 12:00', '2026-03-01', '2026-04-01'),
    (2, '2026-06-01 00:00+00', 0, '2026-07-02', '2026-06-02', '2026-03-02', '2026-03-01'),
    (3, '2026-06-01 00:00+00', 0, NULL, NULL, '2026-03-02', NULL)
"""


def test_a_date_is_stored_as_the_days_before_the_time_of_the_dataset_or_another_column(
    database: cursor, store: Store
) -> None:
    database.execute(DATED)
    table, facts = store(declare(AGES))
    assert table.column("born").to_pylist() == [181.5, -0.5, None]
    assert table.column("employed").to_pylist() == [0.5, -1.0, None]
    assert table.column("paid").to_pylist() == [31.0, -1.0, None]
    assert facts["schema"]["born"] == "double"
    assert "due" not in facts["schema"]
    later, _ = store(declare(AGES), AS_OF + timedelta(hours=12))
    assert later.column("born").to_pylist() == [182.0, 0.0, None]
    assert later.column("paid") == table.column("paid")


def test_two_dates_lie_whole_days_apart_also_where_clocks_change(database: cursor, store: Store) -> None:
    database.execute(DATED)
    table, _ = store(declare(AGES, time_zone="Europe/Berlin"))
    # At noon in UTC it is 14:00 in Berlin, in summer.
    assert table.column("born").to_pylist()[0] == pytest.approx((date(2026, 7, 1) - date(2026, 1, 1)).days + 14 / 24)
    assert table.column("paid").to_pylist() == [31.0, -1.0, None]


@pytest.mark.parametrize("column", ["born", "employed", "due"])
def test_a_date_that_is_none_is_refused_by_its_column_and_count(database: cursor, store: Store, column: str) -> None:
    database.execute(DATED + f"; UPDATE loans SET {column} = '-infinity' WHERE id = 2")
    with pytest.raises(LoansError, match=rf"9999: {column}: 1 row; expected none"):
        store(declare(AGES))
    database.execute("UPDATE loans SET created_at = '2027-01-01' WHERE id = 2")
    assert store(declare(AGES))[1]["left_out"] == 1, "a loan that is not read refuses the others"


def test_a_column_that_a_date_lies_before_must_be_there_and_hold_times(database: cursor) -> None:
    database.execute(DATED)
    check_table(database, declare(AGES))
    database.execute("ALTER TABLE loans ALTER due TYPE text")
    with pytest.raises(LoansError, match=r"column loans\.due is of type text; expected time \(date, timestamp with"):
        check_table(database, declare(AGES))
    database.execute("ALTER TABLE loans DROP due")
    with pytest.raises(LoansError, match=r"table loans has no column due \(expected date or timestamp with"):
        check_table(database, declare(AGES))


def test_a_time_zone_that_the_database_does_not_know_is_refused_by_its_setting(database: cursor) -> None:
    database.execute(LOANS.format("timestamp"))
    check_table(database, declare(V, time_zone="Europe/Berlin"))
    database.execute(
        "CREATE SCHEMA old; CREATE VIEW old.pg_timezone_names AS SELECT 'UTC' AS name; "
        "SET search_path = old, pg_catalog, public"
    )
    with pytest.raises(LoansError, match=r"table\.time_zone: the database knows no time zone Europe/Berlin; name one"):
        check_table(database, declare(V, time_zone="Europe/Berlin"))
    check_table(database, declare(V))
