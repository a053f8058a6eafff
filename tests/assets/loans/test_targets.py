"""What a default is stands in one column of a real table. Read wrongly, loans change sides or vanish unseen.

Each test has a table of its own, with the answer in it.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from credit_assets.checks.loan_dataset.verdicts import check_dataset
from credit_assets.checks.training import check_split
from credit_assets.loans.columns import find_loans_with_outcome, select_outcomes
from credit_assets.loans.extraction import extract_loans
from credit_assets.loans.table import LoansError
from credit_assets.model.pipeline import TrainingConfig
from credit_assets.model.split import split_rows
from credit_assets.settings.file import Settings
from resources.services.database import Database

AS_OF = datetime(2026, 2, 28, 12, tzinfo=UTC)
# 200 loans, of which every fourth defaulted; one is made each day up to AS_OF, at noon.
LOANS = """
CREATE TABLE loans AS
SELECT g AS id, timestamp '2026-02-28 12:00' - (200 - g) * interval '1 day' AS created_at, g % 4 = 0 AS bad,
    g * 7919 % 1000 AS income
FROM generate_series(1, 200) AS g
"""


@pytest.fixture
def database(database_url: str) -> Database:
    """A database with the loans."""
    database = Database(url=database_url)
    with database.open_transaction() as cursor:
        cursor.execute(LOANS)
    return database


def declare(**target: Any) -> Settings:
    return Settings.model_validate(
        {
            "table": {"name": "loans"},
            "target": target,
            "features": {"income": {"type": "integer"}},
            "limits": {"minimum_rows": 50, "maximum_feature_auc": 1.0},
        }
    )


def read(database: Database, settings: Settings, path: Path) -> tuple[pa.Table, dict[str, Any]]:
    with database.open_snapshot() as cursor:
        facts = extract_loans(cursor, settings, AS_OF, path)
    return pq.read_table(path), facts


def defaults_by_id(loans: pa.Table, settings: Settings) -> dict[int, bool]:
    """Whether each loan with an outcome defaulted, by its id."""
    known = loans.take(find_loans_with_outcome(loans, settings))
    return dict(
        zip(known.column("id").to_pylist(), select_outcomes(known, settings).astype(bool).tolist(), strict=True)
    )


NUMBERS, TEXTS = {"negative": 0, "positive": 1}, {"negative": "good", "positive": "bad"}
WORD = "CASE WHEN bad THEN 'bad' ELSE 'good' END"


@pytest.mark.parametrize("more", [{}, {"matures_after": "1 day"}], ids=["of any age", "matures"])
@pytest.mark.parametrize(
    ("expression", "target"),
    [
        ("bad", {"negative": False, "positive": True}),
        ("bad", {"negative": "f", "positive": "t"}),
        ("bad", {"negative": "false", "positive": "true"}),
        ("bad::text", {"negative": "false", "positive": "true"}),
        ("NOT bad", {"negative": True, "positive": False}),
        ("bad::int", NUMBERS),
        ("bad::int::flag", NUMBERS),
        ("bad::int::numeric(1,0)", NUMBERS),
        ("bad::int::numeric(3,1)", NUMBERS),
        ("bad::int::numeric", NUMBERS),
        ("bad::int::numeric(3,1)", {"negative": 0.0, "positive": 1.0}),
        ("bad::int::double precision", {"negative": 0.0, "positive": 1.0}),
        ("bad::int::smallint", {"negative": 0, "positive": 1.0}),
        (WORD, TEXTS),
        (f"({WORD})::char(4)", TEXTS),
        (f"({WORD})::varchar(9)", TEXTS),
        (f"({WORD})::verdict", TEXTS),
        (f"({WORD})::word", TEXTS),
        ("(ARRAY['N', 'Y'])[1 + bad::int]::char(1)", {"negative": "N", "positive": "Y"}),
        ("CASE WHEN bad THEN 90 + id % 9 ELSE id % 90 END", {"at_least": 90}),
        ("CASE WHEN bad THEN 90.00 ELSE 89.99 END", {"at_least": 90}),
        ("CASE WHEN bad THEN 0.5::real ELSE 0.75::real END", {"at_most": 0.5}),
    ],
)
def test_every_fourth_loan_defaulted_however_the_table_says_it(
    database: Database, tmp_path: Path, expression: str, target: dict[str, Any], more: dict[str, Any]
) -> None:
    with database.open_transaction() as cursor:
        cursor.execute("CREATE TYPE verdict AS ENUM ('good', 'bad', 'open')")
        cursor.execute("CREATE DOMAIN word AS char(6); CREATE DOMAIN flag AS smallint CHECK (VALUE IN (0, 1))")
        cursor.execute(
            f"ALTER TABLE loans RENAME TO raw; CREATE VIEW loans AS SELECT *, {expression} AS outcome FROM raw"
        )
    settings = declare(column="outcome", **target, **more)
    loans, facts = read(database, settings, tmp_path / "loans.parquet")
    # Loan 200 was made at AS_OF.
    assert facts["without_outcome"] == {"too young": 1 if more else 0, "NULL": 0}
    assert defaults_by_id(loans, settings) == {number: number % 4 == 0 for number in range(1, 200 if more else 201)}
    young = facts["without_outcome"]["too young"]
    assert [each for each in check_dataset(loans, settings, young) if not each.passed] == []


@pytest.mark.parametrize(
    ("expression", "target", "expected"),
    [
        ("bad::text", {"at_least": 90}, "column loans.outcome is of type text; expected number"),
        (
            "created_at",
            {"at_least": 90},
            "column loans.outcome is of type timestamp without time zone; expected number",
        ),
        ("bad", {"at_least": 1}, "column loans.outcome is of type boolean; expected number"),
        ("created_at::date", {}, "column loans.outcome is of type date; expected integer"),
        ("created_at::date", TEXTS, "column loans.outcome is of type date; expected category"),
        ("bad::int::real", NUMBERS, "column loans.outcome is of type real; expected integer"),
        ("bad::int + 0.5", NUMBERS, "a value of column outcome is no whole number; it is not shown here"),
        (
            f"({WORD})::char(4)",
            {"negative": "good", "positive": "bad "},
            "PostgreSQL ignores the blanks at the end",
        ),
        ("bad", {"negative": "no", "positive": "yes"}, "loans.outcome is boolean: write negative = false and positive"),
        (
            "bad::text",
            {"negative": False, "positive": True},
            "loans.outcome is of type text, and true and false are the values of a boolean: write the two values",
        ),
    ],
)
def test_a_target_that_the_column_cannot_have_is_refused_by_its_name_and_type(
    database: Database, tmp_path: Path, expression: str, target: dict[str, Any], expected: str
) -> None:
    with database.open_transaction() as cursor:
        cursor.execute(
            f"ALTER TABLE loans RENAME TO raw; CREATE VIEW loans AS SELECT *, {expression} AS outcome FROM raw"
        )
    settings = declare(column="outcome", **target)
    with pytest.raises(LoansError) as refused:
        read(database, settings, tmp_path / "loans.parquet")
    assert expected in str(refused.value)
    assert "correct its type" not in str(refused.value), "[target] has no type"


@pytest.mark.parametrize(
    ("expression", "target", "advice"),
    [
        ("bad", {}, "loans.outcome is boolean: write negative = false and positive = true in [target]"),
        ("bad", NUMBERS, "loans.outcome is boolean: write negative = false and positive = true in [target]"),
        ("bad", {"at_least": 1}, "loans.outcome is boolean: write negative = false and positive = true in [target]"),
        ("bad::int::real", NUMBERS, "Write negative = 0.0 and positive = 1.0 in [target]"),
        ("bad::text", NUMBERS, "Write negative and positive in [target] as the texts that the column has"),
        ("bad::int::real", TEXTS, "Write negative and positive in [target] as the numbers that the column has"),
        ("bad::text", {"at_most": 90}, "at_most in [target] goes with a number: name a column of numbers"),
        ("created_at", TEXTS, "for a column that has two numbers, two texts, or true and false"),
    ],
)
def test_the_advice_on_a_target_is_about_its_values(
    database: Database, tmp_path: Path, expression: str, target: dict[str, Any], advice: str
) -> None:
    with database.open_transaction() as cursor:
        cursor.execute(
            f"ALTER TABLE loans RENAME TO raw; CREATE VIEW loans AS SELECT *, {expression} AS outcome FROM raw"
        )
    with pytest.raises(LoansError) as refused:
        read(database, declare(column="outcome", **target), tmp_path / "loans.parquet")
    assert advice in str(refused.value)
    assert "correct its type" not in str(refused.value)


@pytest.mark.parametrize("time_zone", ["UTC", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("kind", ["timestamp", "timestamptz"])
def test_a_loan_is_too_young_by_its_age_in_utc_whatever_zone_the_database_has(
    database: Database, tmp_path: Path, time_zone: str, kind: str
) -> None:
    with database.open_transaction() as cursor:
        cursor.execute(f"SET LOCAL TIME ZONE 'UTC'; ALTER TABLE loans ALTER created_at TYPE {kind}")
        cursor.execute("SELECT current_database()")
        ((name,),) = cursor.fetchall()
        cursor.execute(f"ALTER DATABASE {name} SET TIME ZONE '{time_zone}'")
    settings = declare(column="bad", negative=False, positive=True, matures_after="1 month")
    loans, facts = read(database, settings, tmp_path / "loans.parquet")
    # Loan 200 is of 28 February and loan 169 of 28 January, which is one month old at AS_OF to the second.
    assert facts["without_outcome"] == {"too young": 31, "NULL": 0}
    assert defaults_by_id(loans, settings) == {number: number % 4 == 0 for number in range(1, 170)}
    assert loans.num_rows == 200, "a loan without an outcome stays in the dataset"


def test_loans_without_an_outcome_are_in_neither_training_nor_test(database: Database, tmp_path: Path) -> None:
    with database.open_transaction() as cursor:
        cursor.execute("UPDATE loans SET bad = NULL WHERE id % 10 = 1")
    settings = declare(column="bad", negative=False, positive=True, matures_after="30 days")
    loans, facts = read(database, settings, tmp_path / "loans.parquet")
    assert facts["without_outcome"] == {"too young": 30, "NULL": 17}
    verdicts = {each.check: each for each in check_dataset(loans, settings, facts["without_outcome"]["too young"])}
    assert all(each.passed for each in verdicts.values()), verdicts
    assert verdicts["known_outcomes"].facts == facts["without_outcome"]
    split = split_rows(loans, settings, TrainingConfig())
    training, test = loans.take(split.training), loans.take(split.test)
    used = training.column("id").to_pylist() + test.column("id").to_pylist()
    assert sorted(used) == [number for number in range(1, 171) if number % 10 != 1]
    assert all(each.passed for each in check_split(training, test, None, settings))


def test_a_join_that_finds_nothing_is_no_table_of_loans_without_an_outcome(database: Database, tmp_path: Path) -> None:
    with database.open_transaction() as cursor:
        cursor.execute("UPDATE loans SET bad = NULL WHERE id > 60")
    settings = declare(column="bad", negative=False, positive=True)
    loans, _ = read(database, settings, tmp_path / "loans.parquet")
    (failed,) = [each for each in check_dataset(loans, settings) if not each.passed]
    assert failed.check == "known_outcomes"
    assert failed.message.startswith("bad: NULL in 140 of 200 loans; expected at most 50.0%")
