"""Loans that arrive in ways that a count above the greatest id misses: each is counted or named, tick after tick.

The model of a lender whose loans are forgotten learns from fewer of them each month, and no page says so.
"""

import random
from contextlib import closing
from typing import Any

import dagster as dg
import psycopg2
import pytest

INSERT = "INSERT INTO loans (income, default_status, created_at) SELECT n, n % 2, {time} FROM generate_series(1, {n}) n"


@pytest.fixture
def dataset(lending: Any, empty_instance: dg.DagsterInstance) -> Any:
    """A dataset of 100 loans, so that 25 more start a refresh."""
    lending.execute(INSERT.format(time="timestamp '2024-01-01' + n * interval '6 hours'", n=100))
    assert lending.materialize(empty_instance).success
    return lending


def message(lending: Any, instance: dg.DagsterInstance) -> str:
    tick = lending.tick(instance, None)
    assert tick.run_requests == []
    return tick.skip_message


def asks(lending: Any, instance: dg.DagsterInstance) -> bool:
    return len(lending.tick(instance, None).run_requests) == 1


def test_local_times_of_a_zone_in_the_east_are_left_out_by_name_until_their_time_has_come(
    dataset: Any, empty_instance: dg.DagsterInstance
) -> None:
    dataset.execute(INSERT.format(time="(now() AT TIME ZONE 'Asia/Tokyo') - n * interval '20 seconds'", n=40))
    left_out = "0 of 25 loans are in no dataset; 40 more are left out until their time"
    assert message(dataset, empty_instance).startswith(left_out)
    assert dataset.materialize(empty_instance).success
    assert message(dataset, empty_instance).startswith(left_out)
    event = empty_instance.get_latest_materialization_event(dg.AssetKey("loan_dataset"))
    assert event
    assert event.asset_materialization
    assert event.asset_materialization.metadata["left_out"].value == 40
    # Nine hours later.
    dataset.execute("UPDATE loans SET created_at = created_at - interval '9 hours' WHERE id > 100")
    assert asks(dataset, empty_instance)
    assert dataset.materialize(empty_instance).success
    assert message(dataset, empty_instance) == "0 of 35 loans are in no dataset"


def test_loans_of_the_time_infinity_are_named_for_ever(dataset: Any, empty_instance: dg.DagsterInstance) -> None:
    dataset.execute("UPDATE loans SET created_at = 'infinity' WHERE id > 90")
    assert dataset.materialize(empty_instance).success
    assert message(dataset, empty_instance).startswith("0 of 23 loans are in no dataset; 10 more are left out")


def test_a_table_that_is_emptied_and_numbered_anew_is_refreshed(
    dataset: Any, empty_instance: dg.DagsterInstance
) -> None:
    dataset.execute("TRUNCATE loans RESTART IDENTITY")
    empty = message(dataset, empty_instance)
    assert empty.startswith(
        "at least 0 of 25 loans are in no dataset; at least 100 of the dataset's loans are no longer"
    )
    dataset.execute(INSERT.format(time="timestamp '2024-07-19' + n * interval '6 hours'", n=75))
    assert asks(dataset, empty_instance)
    assert dataset.materialize(empty_instance).success
    assert message(dataset, empty_instance) == "0 of 19 loans are in no dataset"


def test_a_transaction_that_took_small_ids_and_commits_late_is_counted(
    lending: Any, empty_instance: dg.DagsterInstance
) -> None:
    with closing(psycopg2.connect(lending.url)) as late, late.cursor() as cursor:
        cursor.execute(INSERT.format(time="now()::timestamp", n=30))
        lending.execute(INSERT.format(time="now()::timestamp", n=80))
        assert lending.materialize(empty_instance).success
        assert message(lending, empty_instance) == "0 of 20 loans are in no dataset"
        late.commit()
    assert asks(lending, empty_instance)
    lending.execute("DELETE FROM loans WHERE id <= 15")
    assert message(lending, empty_instance) == (
        "15 of 20 loans are in no dataset; 15 of them came late: the dataset was read after their created_at, without "
        "them"
    )


def test_repaired_rows_are_named_and_the_next_dataset_has_them(
    dataset: Any, empty_instance: dg.DagsterInstance
) -> None:
    dataset.execute("UPDATE loans SET default_status = 1 - default_status WHERE id = 7")
    assert message(dataset, empty_instance) == (
        "0 of 25 loans are in no dataset; at least 1 of the dataset's loans have changed since"
    )
    assert dataset.materialize(empty_instance).success
    assert message(dataset, empty_instance) == "0 of 25 loans are in no dataset"


def test_an_update_of_a_column_that_is_not_read_changes_no_loan(
    dataset: Any, empty_instance: dg.DagsterInstance
) -> None:
    dataset.execute("ALTER TABLE loans ADD COLUMN note text; UPDATE loans SET note = 'seen'")
    assert message(dataset, empty_instance) == "0 of 25 loans are in no dataset"


def test_other_columns_in_the_settings_make_changes_unknown_and_hide_no_loan(
    dataset: Any, empty_instance: dg.DagsterInstance
) -> None:
    text = dataset.settings_path.read_text()
    dataset.execute("ALTER TABLE loans ADD COLUMN age integer DEFAULT 40")
    dataset.settings_path.write_text(text.replace("[personal]", "age = { type = 'integer' }\n[personal]"))
    dataset.arrive(3)
    assert message(dataset, empty_instance) == (
        "3 of 25 loans are in no dataset; which loans have changed is not known: the settings or PostgreSQL are others "
        "than those of the dataset"
    )


def test_deleted_loans_hide_no_loan_that_arrived(dataset: Any, empty_instance: dg.DagsterInstance) -> None:
    gone = random.Random(5).sample(range(1, 101), 12)
    dataset.execute(f"DELETE FROM loans WHERE id IN ({', '.join(map(str, gone))})")
    dataset.arrive(24)
    said = message(dataset, empty_instance)
    assert said.startswith(
        "at least 24 of 25 loans are in no dataset; at least 12 of the dataset's loans are no longer"
    )
    dataset.arrive(1)
    assert asks(dataset, empty_instance)


def test_a_table_that_is_too_slow_to_read_whole_is_still_counted_by_ids_and_times(
    dataset: Any, empty_instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensors.new_loans.STATEMENT_TIMEOUT", "300ms")
    dataset.execute(
        "ALTER TABLE loans RENAME TO plain;"
        "CREATE FUNCTION read_slowly(numeric) RETURNS numeric STABLE LANGUAGE plpgsql AS "
        "'BEGIN PERFORM pg_sleep(0.02); RETURN $1; END';"
        "CREATE VIEW loans AS SELECT id, created_at, default_status, read_slowly(income) AS income FROM plain;"
        "INSERT INTO plain (income, default_status) SELECT n, n % 2 FROM generate_series(1, 24) AS n"
    )
    assert message(dataset, empty_instance) == (
        "24 of 25 loans are in no dataset; which loans have changed is not known: to read all columns takes more than "
        "300ms"
    )
    dataset.execute("INSERT INTO plain (income, default_status) VALUES (25, 1)")
    assert asks(dataset, empty_instance)


def test_uuids_are_counted_in_any_order_also_after_ids_that_were_integers(
    dataset: Any, empty_instance: dg.DagsterInstance
) -> None:
    dataset.execute(
        "ALTER TABLE loans ALTER id DROP DEFAULT, ALTER id TYPE uuid USING lpad(to_hex(id), 32, '0')::uuid;"
        "ALTER TABLE loans ALTER id SET DEFAULT gen_random_uuid()"
    )
    assert asks(dataset, empty_instance)
    assert dataset.materialize(empty_instance).success
    assert message(dataset, empty_instance) == "0 of 25 loans are in no dataset"
    dataset.execute(INSERT.format(time="timestamp '2023-05-05'", n=24))
    assert message(dataset, empty_instance).startswith("24 of 25 loans are in no dataset; 24 of them came late")
    dataset.execute(INSERT.format(time="now()::timestamp", n=1))
    assert asks(dataset, empty_instance)


def test_loans_that_were_left_out_count_as_soon_as_the_settings_name_their_zone(
    dataset: Any, empty_instance: dg.DagsterInstance
) -> None:
    dataset.execute(INSERT.format(time="(now() AT TIME ZONE 'Asia/Tokyo') - n * interval '20 seconds'", n=40))
    assert message(dataset, empty_instance).startswith("0 of 25 loans are in no dataset; 40 more are left out")
    text = dataset.settings_path.read_text()
    dataset.settings_path.write_text(text.replace("[target]", 'time_zone = "Asia/Tokyo"\n[target]'))
    assert asks(dataset, empty_instance)
    assert dataset.materialize(empty_instance).success
    assert message(dataset, empty_instance) == "0 of 35 loans are in no dataset"
