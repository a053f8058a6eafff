"""Lenders have enums, domains, booleans, UUIDs and NUMERIC, and a model that reads another value learns another thing.

A value that is rounded, padded or cut on the way to the store shows nowhere.
"""

import pytest
from psycopg2.extensions import cursor

from credit_assets.loans.table import LoansError, check_table
from credit_assets.tables.declared import read_columns
from credit_assets.tables.kinds import list_kinds
from tests.assets.columns.conftest import NAMED, Store, declare

TYPES = """
CREATE TYPE purpose AS ENUM ('car', 'house');
CREATE DOMAIN purpose_of_loan AS purpose;
CREATE DOMAIN code AS char(4);
CREATE DOMAIN region_code AS code;
CREATE DOMAIN flag AS boolean;
CREATE DOMAIN money_amount AS numeric(14, 2) CHECK (VALUE >= 0);
CREATE DOMAIN number_of_oracle AS numeric(38, 0);
CREATE DOMAIN small AS smallint;
"""
LOANS = "CREATE TABLE loans AS SELECT 1 AS id, timestamp '2026-01-01' AS created_at, 0 AS default_status, {}::{} AS v"
UUID = "0b9c7a9e-5a52-4d62-8f7c-1f0f6a3b2c11"


@pytest.mark.parametrize(
    ("kind", "sql_type", "value", "stored"),
    [
        ("category", "text", "'NW '", "NW "),
        ("category", "varchar(9)", "'NW '", "NW "),
        ("category", "char(4)", "'NW '", "NW"),
        ("category", "region_code", "'NW'", "NW"),
        ("category", "purpose", "'house'", "house"),
        ("category", "purpose_of_loan", "'house'", "house"),
        ("category", "boolean", "true", "t"),
        ("category", "flag", "false", "f"),
        ("category", "smallint", "7", "7"),
        ("category", "bigint", str(2**62), str(2**62)),
        ("category", "numeric(3,0)", "7", "7"),
        ("category", "number_of_oracle", "7", "7"),
        ("category", "uuid", f"'{UUID.upper()}'", UUID),
        ("boolean", "boolean", "true", 1),
        ("boolean", "flag", "false", 0),
        ("integer", "small", "7", 7),
        ("integer", "numeric", "12.00", 12),
        ("integer", "numeric(38,0)", str(2**62), 2**62),
        ("integer", "number_of_oracle", "-3", -3),
        ("number", "money_amount", "12.50", 12.5),
        ("number", "small", "7", 7.0),
        ("number", "numeric(38,0)", "7", 7.0),
    ],
)
def test_a_value_of_each_type_is_stored_as_what_it_says(
    database: cursor, store: Store, kind: str, sql_type: str, value: str, stored: object
) -> None:
    database.execute(TYPES + LOANS.format(value, sql_type))
    table, _ = store(declare({"v": {"type": kind}}))
    assert table.column("v").to_pylist() == [stored]
    database.execute("UPDATE loans SET v = NULL")
    table, _ = store(declare({"v": {"type": kind}}))
    assert table.column("v").to_pylist() == [None], "a value that is missing became one"


@pytest.mark.parametrize("value", ["12.5", "9223372036854775808", "'NaN'"], ids=["fraction", "too great", "NaN"])
def test_a_numeric_that_is_no_integer_is_refused_by_its_column_and_never_rounded(
    database: cursor, store: Store, value: str
) -> None:
    database.execute(LOANS.format(value, "numeric"))
    with pytest.raises(LoansError, match="a value of column v is no whole number") as refused:
        store(declare({"v": {"type": "integer"}}))
    assert value not in str(refused.value)


@pytest.mark.parametrize(
    ("sql_type", "ids", "order"),
    [
        (
            "uuid",
            ["'ffffffff-0000-0000-0000-000000000000'", f"'{UUID}'"],
            [UUID, "ffffffff-0000-0000-0000-000000000000"],
        ),
        ("text", ["'b'", "'a'", "'B'", "'é'", "'a-'"], ["B", "a", "a-", "b", "é"]),
        ("char(3)", ["'b'", "'B'"], ["B", "b"]),
        ("numeric(38,0)", ["10", "9", "8"], [8, 9, 10]),
        ("numeric", ["10.0", "9", "8.00"], [8, 9, 10]),
        ("smallint", ["10", "9"], [9, 10]),
    ],
)
def test_ids_of_any_type_are_stored_in_one_order_whatever_the_database_sorts_by(
    database: cursor, store: Store, sql_type: str, ids: list[str], order: list[object]
) -> None:
    database.execute(f"CREATE TABLE loans (id {sql_type}, created_at timestamp, default_status int, v int)")
    for each in ids:
        database.execute(f"INSERT INTO loans VALUES ({each}, '2026-01-01', 0, 1)")
    table, facts = store(declare({"v": {"type": "integer"}}))
    assert table.column("id").to_pylist() == order
    assert facts["greatest_id"] == (order[-1] if isinstance(order[-1], int) else None)
    assert facts["schema"]["id"] == ("int64" if isinstance(order[-1], int) else "string")


@pytest.mark.parametrize(
    ("sql_type", "value"),
    [
        ("json", "'7'"),
        ("jsonb", "'7'"),
        ("text[]", "'{7}'"),
        ("bytea", "'\\x37'"),
        ("interval", "'7 days'"),
        ("money", "'7'"),
        ("int4range", "'[7,9)'"),
        ("inet", "'10.0.0.7'"),
        ("point", "'(7,7)'"),
        ("bit(3)", "'111'"),
        ("time", "'07:00'"),
        ("pair", "row(7, 7)"),
    ],
)
def test_a_type_that_cannot_be_read_is_refused_with_the_view_that_reads_it(
    database: cursor, store: Store, sql_type: str, value: str
) -> None:
    database.execute("CREATE TYPE pair AS (a int, b int); " + LOANS.format(value, sql_type))
    assert not list_kinds(read_columns(database, "loans")["v"])
    with pytest.raises(LoansError, match=r"column loans\.v is of type .*; expected category ") as refused:
        store(declare({"v": {"type": "category"}}))
    said, _, statements = str(refused.value).partition(NAMED)
    assert "Read the table through a view in which the column keeps its name: its owner runs the statements" in said
    assert statements.endswith('; GRANT SELECT ON "loans_view" TO "postgres"')
    database.execute(statements)
    table, _ = store(declare({"v": {"type": "category"}}, name="loans_view"))
    assert table.column("v").to_pylist() != [None]


def test_a_refusal_names_the_kinds_that_fit_and_the_domain(database: cursor) -> None:
    database.execute(TYPES + LOANS.format("true", "flag"))
    with pytest.raises(
        LoansError,
        match=r'type flag, a domain over boolean; .* It can be read as "category" or "boolean": correct its type',
    ):
        check_table(database, declare({"v": {"type": "number"}}))


@pytest.mark.parametrize(
    "relation",
    [
        "CREATE VIEW loans AS TABLE base",
        "CREATE MATERIALIZED VIEW loans AS TABLE base",
        """CREATE TABLE loans (LIKE base) PARTITION BY RANGE (id);
        CREATE TABLE early PARTITION OF loans FOR VALUES FROM (0) TO (2);
        CREATE TABLE late PARTITION OF loans FOR VALUES FROM (2) TO (9);
        INSERT INTO loans TABLE base""",
    ],
    ids=["view", "materialized view", "partitioned table"],
)
def test_a_table_may_be_a_view_or_have_partitions(database: cursor, store: Store, relation: str) -> None:
    loans = LOANS.replace("TABLE loans", "TABLE base").format("'x'", "text")
    database.execute(f"{loans} UNION ALL SELECT 2, '2026-01-02', 1, 'y'; {relation}")
    table, facts = store(declare({"v": {"type": "category"}}))
    assert table.column("v").to_pylist() == ["x", "y"]
    assert facts["rows"] == 2


def test_a_foreign_table_is_a_table(database: cursor) -> None:
    database.execute(
        "CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER elsewhere FOREIGN DATA WRAPPER nothing; "
        "CREATE FOREIGN TABLE loans (id int, created_at timestamp, default_status int, v text) SERVER elsewhere"
    )
    check_table(database, declare({"v": {"type": "category"}}))


def test_an_index_or_a_sequence_of_the_name_is_no_table(database: cursor) -> None:
    database.execute("CREATE TABLE other (id int); CREATE SEQUENCE loans")
    with pytest.raises(LoansError, match="table loans is not in the database"):
        check_table(database, declare({"v": {"type": "category"}}))
