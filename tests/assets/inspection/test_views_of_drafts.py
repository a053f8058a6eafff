"""A draft offers SQL to somebody who doesn't know PostgreSQL's casts: what fails there is given up."""

import re

COLUMNS = """
CREATE TYPE label AS ENUM ('a', 'b');
CREATE DOMAIN labels AS label[];
CREATE TABLE loans AS SELECT
    g AS id, timestamptz '2024-01-01' + g * interval '1 hour' AS created_at, g % 4 = 0 AS is_bad, g % 7 AS term,
    (g * 7919 % 1009 || '.5')::char(12) AS padded,
    (g * 7919 % 1009 || ',5')::varchar AS comma,
    to_char(g * 7919 % 1009 * 1009, 'FM999,999,999') AS thousands,
    to_char(date '2020-01-01' + g % 300, 'DD.MM.YYYY')::char(30) AS day,
    to_char(date '2020-01-01' + g % 300, 'MM/DD/YYYY') AS slashes,
    to_char(date '2020-01-01' + g % 300, 'YYYYMMDD') AS compact,
    CASE WHEN g = 5 THEN 'infinity'::numeric WHEN g = 6 THEN '-infinity' ELSE g * 7919 % 1009 / 7.0 END AS ratio,
    CASE WHEN g = 5 THEN 'infinity'::real WHEN g = 6 THEN '-infinity' ELSE g % 19 / 7.0 END AS share,
    '{a}'::labels AS labels, '{"a": 1}'::json AS json, ARRAY[g] AS numbers, interval '1 day' * g AS span,
    g::text::money AS price, int4range(g, g + 9) AS range, tstzrange(now(), NULL) AS times, time '07:00' AS at,
    inet '10.0.0.7' AS inet, B'101' AS bits, to_tsvector('a b') AS words
FROM generate_series(1, 300) AS g;
"""
ALL = {
    "padded",
    "comma",
    "thousands",
    "day",
    "slashes",
    "compact",
    "ratio",
    "share",
    "labels",
    "json",
    "numbers",
    "span",
}
ALL |= {"price", "range", "times", "at", "inet", "bits", "words"}


def test_the_sql_of_each_view_that_a_draft_offers_runs_and_reads_every_value(drafts) -> None:
    drafts.make(COLUMNS)
    assert drafts.inspect("--table", "loans") == 0
    offered = dict(re.findall(r'^#? ?"?(\w+)"?(?: = |: ).*a view may have (.* AS "\w+")', drafts.text, re.MULTILINE))
    assert offered.keys() == ALL
    for column, sql in offered.items():
        drafts.sandbox.execute(f"DROP VIEW IF EXISTS loans_view; CREATE VIEW loans_view AS SELECT *, {sql} FROM loans")
        (new,) = re.findall(r' AS "(\w+)"$', sql)
        ((read,),) = drafts.sandbox.execute(f"SELECT count({new}) FROM loans_view")
        assert read == (298 if new.endswith("_finite") else 300), (column, sql)
