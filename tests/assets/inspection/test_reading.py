"""A table of any size and any types must be sampled in bounded memory, or the first command already fails."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
import pytest
from psycopg2.extensions import cursor

from credit_assets.inspection.reading.catalogue import FoundTable, read_tables
from credit_assets.inspection.reading.facts import describe_column
from credit_assets.inspection.reading.sample import MOST_VALUES, read_sample
from resources.services.database import Database


@contextmanager
def tables(url: str, statements: str) -> Iterator[tuple[cursor, dict[str, FoundTable]]]:
    """A snapshot of a database with these tables, and what the catalogue says of them."""
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as making:
        making.execute(statements)
    with Database(url=url).open_snapshot() as reading:
        yield reading, {table.full_name: table for table in read_tables(reading)}


EVERY_TYPE = """
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN positive AS numeric CHECK (value > 0);
CREATE DOMAIN small AS positive CHECK (value < 10);
CREATE TABLE every_type (
    id bigint PRIMARY KEY, code uuid UNIQUE, mood mood, small small, share real, is_new boolean, name char(8),
    born date, at timestamp, at_zone timestamptz, "odd ""name" int, long text, span interval, tags text[], body json,
    data bytea, price money, place point, bits bit(3), address inet
);
INSERT INTO every_type VALUES
    (1, gen_random_uuid(), 'good', 5, 0.5, true, 'a', '2020-01-01', 'infinity', '-infinity', 1, repeat('ä', 100000),
     '1 day', '{a}', '{}', 'x', 1, '(1,2)', '101', '10.0.0.1'),
    (2, gen_random_uuid(), 'bad', 6, 'NaN', false, 'b', '0044-01-01 BC', now(), now(), NULL, NULL,
     NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
"""
UNREAD = ("span", "tags", "body", "data", "price", "place", "bits", "address")


def test_every_type_is_sampled_or_known_to_be_there(database_url: str) -> None:
    with tables(database_url, EVERY_TYPE) as (reading, found):
        table = found["public.every_type"]
        sample = read_sample(reading, table)
    columns = {column.name: column for column in table.columns}
    assert [columns[name].key for name in ("id", "code", "name")] == ["primary", "unique", ""]
    assert (columns["small"].type.name, columns["small"].type.base) == ("small", "numeric")
    assert columns["mood"].type.base == "enum"
    assert (sample.total, sample.is_all) == (2, True)
    facts = {name: describe_column(columns[name], sample.rows.column(name)) for name in columns}
    assert facts["small"].high == 6
    assert facts["mood"].counts == {"bad": 1, "good": 1}
    assert facts["is_new"].counts == {"false": 1, "true": 1}
    assert facts["name"].counts == {"a": 1, "b": 1}
    assert facts['odd "name'].missing == 1
    assert (facts["share"].missing, facts["share"].infinite, facts["share"].filled) == (1, 0, 1)
    for name in ("at", "at_zone"):
        assert (facts[name].missing, facts[name].infinite, facts[name].filled) == (0, 1, 1), name
    for name in UNREAD:
        assert (facts[name].form, facts[name].missing) == ("filled", 1)
    assert max(len(text) for text in sample.rows.column("long").to_pylist() if text) == 100


def test_a_large_table_is_drawn_by_lot_and_a_view_is_read_up_to_the_limit_and_both_say_so(database_url: str) -> None:
    statements = """
    CREATE TABLE many AS SELECT g AS id, now() AS at, repeat('x', 50) AS text FROM generate_series(1, 20000) AS g;
    ANALYZE many; CREATE VIEW seen AS SELECT * FROM many;
    """
    with tables(database_url, statements) as (reading, found):
        drawn, again = (read_sample(reading, found["public.many"], most_rows=2_000) for _ in range(2))
        seen = read_sample(reading, found["public.seen"], most_rows=2_000)
        whole = read_sample(reading, found["public.many"])
    assert 500 < drawn.rows.num_rows <= 2_000
    assert drawn.rows.column("id").to_pylist() != list(range(1, drawn.rows.num_rows + 1)), "the first rows only"
    assert drawn.rows == again.rows
    assert (drawn.total, drawn.is_all) == (20_000, False)
    assert "TABLESAMPLE" in drawn.way
    assert (seen.rows.num_rows, seen.is_all) == (2_000, False)
    assert "LIMIT" in seen.way
    assert "view" in seen.way
    assert (whole.rows.num_rows, whole.is_all, whole.way) == (20_000, True, "all 20,000 rows")


def test_many_columns_take_fewer_rows(database_url: str) -> None:
    columns = ", ".join(f"1 AS c{each}" for each in range(800))
    statements = f"CREATE TABLE wide AS SELECT {columns}, g FROM generate_series(1, 6000) AS g"
    with tables(database_url, statements) as (reading, found):
        sample = read_sample(reading, found["public.wide"])
    assert sample.rows.num_rows * 801 <= MOST_VALUES
    assert not sample.is_all


def test_partitions_and_catalogues_are_no_tables_and_a_partitioned_table_counts_its_parts(database_url: str) -> None:
    statements = """
    CREATE TABLE parts (id int, at date) PARTITION BY RANGE (id);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
    CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (100) TO (1000);
    INSERT INTO parts SELECT g, '2020-01-01' FROM generate_series(0, 299) g; ANALYZE parts;
    CREATE MATERIALIZED VIEW kept AS SELECT * FROM parts;
    """
    with tables(database_url, statements) as (reading, found):
        assert {name: table.kind for name, table in found.items()} == {
            "public.parts": "partitioned table",
            "public.kept": "materialized view",
        }
        assert found["public.parts"].estimate == 300
        assert read_sample(reading, found["public.parts"]).rows.num_rows == 300


@pytest.mark.parametrize("granted", ["SELECT (id)", "SELECT"])
def test_a_role_sees_the_tables_and_columns_that_it_may_read(database_url: str, granted: str) -> None:
    statements = f"""
    CREATE TABLE loans AS SELECT 1 AS id, 'x' AS secret; CREATE TABLE hidden AS SELECT 1 AS id;
    DROP ROLE IF EXISTS inspecting; CREATE ROLE inspecting; GRANT {granted} ON loans TO inspecting;
    """
    try:
        with tables(database_url, statements + "GRANT inspecting TO CURRENT_USER") as (reading, _):
            reading.execute("SET LOCAL ROLE inspecting")
            (loans,) = read_tables(reading)
            assert loans.name == "loans"
            assert [column.is_readable for column in loans.columns] == [True, granted == "SELECT"]
            assert read_sample(reading, loans).rows.num_rows == 1
    finally:
        with closing(psycopg2.connect(database_url)) as connection, connection, connection.cursor() as ending:
            ending.execute("DROP OWNED BY inspecting; DROP ROLE inspecting")
