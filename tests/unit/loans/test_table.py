"""The statement that reads the loans is all that stands between a settings file and the database.

A wrong one reads other rows than the dataset says it holds, or lets a name out of a file become SQL.
"""

from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest

from credit_assets.loans.seed import create_table_sql
from credit_assets.loans.table import LoansError, arrow_schema, expected_types, refuse_other_tables, select_sql
from credit_assets.settings.file import Settings

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def declared(table: str = "loans", **target: object) -> Settings:
    return Settings.model_validate(
        {
            "table": {"name": table, "id": "number", "created_at": "made"},
            "target": {"column": "outcome", **target},
            "features": {"income": {"type": "number"}, "order": {"type": "category"}},
            "personal": {"age": {"type": "integer"}},
        }
    )


def test_every_declared_column_is_read_once_and_nothing_else() -> None:
    assert expected_types(declared()) == {
        "number": "id",
        "made": "time",
        "outcome": "integer",
        "income": "number",
        "order": "category",
        "age": "integer",
    }


def test_a_target_of_words_is_read_as_words() -> None:
    assert expected_types(declared(negative="good", positive="bad"))["outcome"] == "category"


def test_the_statement_is_the_same_for_the_same_moment() -> None:
    sql = select_sql(declared(), NEW_YEAR)
    assert sql == (
        'SELECT "number", "made"::timestamp, "outcome", "income", "order", "age" FROM "loans" '
        'WHERE ("made" > \'2026-01-01T00:00:00+00:00\'::timestamptz) IS NOT TRUE ORDER BY "number"'
    )
    assert sql == select_sql(declared(), NEW_YEAR)
    assert sql != select_sql(declared(), NEW_YEAR + timedelta(microseconds=1))


def test_a_moment_keeps_its_offset() -> None:
    assert "'2026-01-01T00:00:00+05:00'" in select_sql(
        declared(), NEW_YEAR.replace(tzinfo=timezone(timedelta(hours=5)))
    )


@pytest.mark.parametrize(
    ("name", "quoted"),
    [("loans", '"loans"'), ("Loans", '"Loans"'), ("order", '"order"'), ("risk.loans", '"risk"."loans"')],
)
def test_a_table_is_made_and_read_under_one_name(name: str, quoted: str) -> None:
    assert f" FROM {quoted} WHERE " in select_sql(declared(name), NEW_YEAR)
    assert f" {quoted} (" in create_table_sql(declared(name))


def test_the_stored_types_hold_every_value_that_the_table_may() -> None:
    schema = arrow_schema(declared())
    assert {field.name: field.type for field in schema} == {
        "number": pa.int64(),
        "made": pa.timestamp("us", "UTC"),
        "outcome": pa.int64(),
        "income": pa.float64(),
        "order": pa.string(),
        "age": pa.int64(),
    }
    assert schema.names == list(expected_types(declared()))


def test_a_dataset_of_another_table_or_of_other_columns_is_refused() -> None:
    facts = {"table": "loans", "schema": {field.name: str(field.type) for field in arrow_schema(declared())}}
    refuse_other_tables(facts, declared())
    with pytest.raises(LoansError, match=r"read from table loans .* declare .*Loans .* Materialize loan_dataset"):
        refuse_other_tables(facts, declared("Loans"))
    with pytest.raises(LoansError, match="Materialize loan_dataset again"):
        refuse_other_tables(facts, declared(negative="good", positive="bad"))
