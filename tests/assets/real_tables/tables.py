"""Tables that lending databases really have: each is made from the same 2,000 made-up loans.

Belongs here: the SQL that makes a table `loans`, and the settings that declare it. Does not belong here: what is
expected of it (the tests of this room).
"""

from collections.abc import Mapping

BASE = """
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
SELECT setseed(0.42);
CREATE TABLE loans AS
SELECT g AS id,
  timestamp '2024-01-01' + g * interval '6 hours' AS created_at,
  round((1000 + 40000 * r1)::numeric, 2) AS loan_amount,
  round((20000 + 90000 * r2)::numeric, 2) AS income,
  (300 + 550 * r3)::int AS credit_score,
  (18 + 60 * r4)::int AS age,
  (ARRAY[12, 24, 36, 48, 60])[1 + (4.99 * r5)::int % 5] AS loan_term,
  (r6 < 1 / (1 + exp(-(1.5 * r1 - 2 * r2 - 5 * (r3 - 0.5) - 0.6))))::int AS default_status,
  (ARRAY['car', 'house', 'school', 'other'])[1 + (3.99 * r7)::int % 4] AS purpose
FROM (SELECT g, random() r1, random() r2, random() r3, random() r4, random() r5, random() r6, random() r7
  FROM generate_series(1, 2000) AS g) AS drawn;
"""
TARGET = 'column = "default_status"'
FEATURES = {
    "loan_amount": 'type = "number", minimum = 0, maximum = 99_999_999.99',
    "income": 'type = "number", minimum = 0, maximum = 99_999_999.99',
    "credit_score": 'type = "integer", minimum = 300, maximum = 850',
    "loan_term": 'type = "integer", minimum = 1, maximum = 600',
    "purpose": 'type = "category"',
}
BOOLEAN = "ALTER TABLE loans ALTER default_status TYPE boolean USING default_status = 1"
CHARACTER = (
    "ALTER TABLE loans ALTER default_status TYPE char(4) USING CASE default_status WHEN 1 THEN 'bad' ELSE 'good' END"
)


def declare(
    target: str = TARGET, features: Mapping[str, str] | None = None, personal: str = "", table: str = ""
) -> str:
    """The text of a settings file for the table `loans`.

    Args:
        target: TOML lines of the section.
        features: what is declared of a feature, by its name; added to `FEATURES`, or put in the place of one.
        personal: TOML lines of the section.
        table: more TOML lines of the section `table`.
    """
    declared = FEATURES | dict(features or {})
    lines = "\n".join(f'"{name}" = {{ {column} }}' for name, column in declared.items() if column)
    return f'[table]\nname = "loans"\n{table}\n[target]\n{target}\n[features]\n{lines}\n[personal]\n{personal}\n'
