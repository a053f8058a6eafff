"""A refusal whose SQL fails costs its reader an hour, and the owner of the table is another person.

Each statement of a message is run, for every type that a column may have and every kind that settings may declare.
"""

import pytest
from psycopg2.extensions import cursor

from credit_assets.applications.tables import LocationsError, declare_applications
from credit_assets.loans.table import LoansError, check_table
from credit_assets.settings.columns import Column
from credit_assets.settings.scoring import Scoring
from credit_assets.tables.declared import check_columns, read_columns
from credit_assets.tables.kinds import DECLARABLE, list_kinds
from tests.assets.columns.conftest import NAMED, Store, declare

TYPES = """
CREATE TYPE label AS ENUM ('7', 'true', '2026-01-01');
CREATE TYPE pair AS (a int, b int);
CREATE TYPE reals AS RANGE (subtype = float8);
CREATE DOMAIN labels AS label;
CREATE DOMAIN flag AS boolean;
CREATE DOMAIN code AS char(12);
"""
WORDS: dict[str, str] = {
    "integer": "'7'",
    "number": "'7'",
    "category": "'7'",
    "boolean": "'true'",
    "date": "'2026-01-01'",
}
DAY = {str(kind): "20260101" for kind in DECLARABLE}
QUOTED = {kind: f"to_json({value}::text)" for kind, value in WORDS.items()}
IN_ARRAY = {kind: f"ARRAY[{value}]" for kind, value in WORDS.items()}
# A value that says each kind as far as the type can.
VALUES: dict[str, dict[str, str] | str] = {
    **dict.fromkeys(("text", "varchar(12)", "char(12)", "name", "label", "labels", "code"), WORDS),
    **dict.fromkeys(("json", "jsonb"), QUOTED),
    "text[]": IN_ARRAY,
    **dict.fromkeys(("integer", "bigint", "numeric", "numeric(12,0)", "double precision"), DAY),
    "smallint": "7",
    "real": "7.5",
    "boolean": "true",
    "flag": "true",
    '"char"': "'7'",
    "int4range": "'[7,9)'",
    "int8range": "'[20260101,20260102)'",
    "numrange": "'[7,9)'",
    "daterange": "'[2026-01-01,2026-02-01)'",
    "tsrange": "'[2026-01-01,2026-02-01)'",
    "tstzrange": "'[2026-01-01,2026-02-01)'",
    "int4multirange": "'{[7,9)}'",
    "tstzmultirange": "'{[2026-01-01,2026-02-01)}'",
    "reals": "'[7,9)'",
    "date": "'2026-01-01'",
    "timestamp": "'2026-01-01'",
    "timestamptz": "'2026-01-01'",
    "time": "'07:00'",
    "timetz": "'07:00+01'",
    "interval": "'7 days'",
    "money": "'7'",
    "bit(3)": "'111'",
    "varbit": "'111'",
    "bytea": "'\\x37'",
    "uuid": "'0b9c7a9e-5a52-4d62-8f7c-1f0f6a3b2c11'",
    "inet": "'10.0.0.7'",
    "point": "'(7,7)'",
    "pair": "row(7, 7)",
    "tsvector": "'a b'",
}
# The types of which no value says a kind. A category is a text, which every type has.
NO_KIND = {"bytea", "uuid", "inet", "point", "pair", "tsvector", "varbit", "reals"}
MEASURED = {"time", "timetz", "interval", "money"}
TIMES = {"date", "timestamp", "timestamptz", "daterange", "tsrange", "tstzrange", "tstzmultirange"}
NOTHING: dict[str, set[str]] = {
    "integer": NO_KIND,
    "number": NO_KIND,
    "category": set(),
    "boolean": NO_KIND | MEASURED | TIMES,
    "date": NO_KIND | MEASURED | {"boolean", "flag", "real", "bit(3)"},
}
# The value of the test is too small for a day, or no boolean word of PostgreSQL's.
UNREAD: dict[str, set[str]] = {
    "boolean": {'"char"'},
    "date": {'"char"', "smallint", "int4range", "numrange", "int4multirange"},
}
LOANS = "CREATE TABLE loans AS SELECT 1 AS id, timestamp '2026-01-01' AS created_at, 0 AS default_status, {}::{} AS v"


@pytest.mark.parametrize("kind", DECLARABLE)
def test_the_sql_of_each_refusal_runs_and_reads_the_column_under_its_own_name(database: cursor, kind: str) -> None:
    database.execute(TYPES)
    silent = set()
    for sql_type, values in VALUES.items():
        value = values if isinstance(values, str) else values[kind]
        database.execute(f"DROP TABLE IF EXISTS loans CASCADE; {LOANS.format(value, sql_type)}")
        if kind in list_kinds(read_columns(database, "loans")["v"]):
            continue
        with pytest.raises(LoansError) as refused:
            check_table(database, declare({"v": {"type": kind}}))
        said, _, statements = str(refused.value).partition(NAMED)
        if not statements:
            assert "No SQL makes its values a" in said or "correct its type in the settings" in said
            silent.add(sql_type)
            continue
        database.execute(statements)
        check_table(database, declare({"v": {"type": kind}}, name="loans_view"))
        if sql_type not in UNREAD.get(kind, ()):
            database.execute("SELECT v IS NOT NULL FROM loans_view")
            assert database.fetchall() == [(True,)], sql_type
    assert silent == NOTHING[kind]


@pytest.mark.parametrize("key", ["id", "created_at"])
def test_the_key_and_the_time_of_a_loan_are_converted_too(database: cursor, key: str) -> None:
    value = {"json": "to_json('2026-01-01'::text)", "text[]": "'{2026-01-01}'", "tstzrange": "'[2026-01-01,)'"}
    roles = {"id": "one", "created_at": "begun", key: "v"}
    database.execute(TYPES)
    for sql_type in ("label", "json", "text[]", "tstzrange"):
        made = LOANS.format(value.get(sql_type, "'2026-01-01'"), sql_type)
        made = made.replace(" AS id", " AS one, 1 AS extra").replace(" AS created_at", " AS begun")
        database.execute(f"DROP TABLE IF EXISTS loans CASCADE; {made}")
        with pytest.raises(LoansError) as refused:
            check_table(database, declare({"extra": {"type": "integer"}}, **roles))
        database.execute(str(refused.value).partition(NAMED)[2])
        database.execute("SELECT v IS NOT NULL FROM loans_view")
        assert database.fetchall() == [(True,)], sql_type


def test_a_view_keeps_all_columns_in_their_order_and_a_name_that_is_taken_hides_none(
    database: cursor, store: Store
) -> None:
    database.execute(TYPES + LOANS.format("'7'", "label") + ', 1 AS v_integer, 2 AS "odd ""name"')
    with pytest.raises(LoansError) as refused:
        check_table(database, declare({"v": {"type": "integer"}}))
    database.execute(str(refused.value).partition(NAMED)[2])
    assert list(read_columns(database, "loans_view")) == list(read_columns(database, "loans"))
    table, _ = store(declare({"v": {"type": "integer"}, "v_integer": {"type": "integer"}}, name="loans_view"))
    assert (table.column("v").to_pylist(), table.column("v_integer").to_pylist()) == ([7], [1])


def test_a_fraction_is_not_rounded_away_by_a_view(database: cursor, store: Store) -> None:
    database.execute(LOANS.format("7.5", "real"))
    with pytest.raises(LoansError) as refused:
        check_table(database, declare({"v": {"type": "integer"}}))
    database.execute(str(refused.value).partition(NAMED)[2])
    with pytest.raises(LoansError, match="a value of column v is no whole number"):
        store(declare({"v": {"type": "integer"}}, name="loans_view"))
    database.execute("UPDATE loans SET v = 1234567")
    table, _ = store(declare({"v": {"type": "integer"}}, name="loans_view"))
    assert table.column("v").to_pylist() == [1_234_567], "a real that is cast to numeric at once has six digits"


def test_a_feature_of_the_applications_keeps_the_name_that_the_loans_have(database: cursor) -> None:
    database.execute(
        TYPES + "CREATE TABLE applications AS SELECT 1 AS id, text 'a' AS location, '7'::label AS v, 5 AS amount"
    )
    features = {"v": Column(type="integer"), "amount": Column(type="integer")}
    scoring = Scoring(locations="locations", applications="applications", scores="scores")
    with pytest.raises(LocationsError, match=r"scoring\.applications then names the view") as refused:
        check_columns(database, declare_applications(scoring, features))
    database.execute(str(refused.value).partition(NAMED)[2])
    through = scoring.model_copy(update={"applications": "applications_view"})
    check_columns(database, declare_applications(through, features))
    database.execute("SELECT id, location, v, amount FROM applications_view")
    assert database.fetchall() == [(1, "a", 7, 5)]
