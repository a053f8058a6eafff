"""What an operator meets on a bad day: each kind of bad input ends in one clear sentence, and leaves all as it was.

Without these a run on half a table may replace yesterday's good model, and the person on duty may read a traceback
instead of the name of the setting or the column to correct.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from credit_assets.commands.main import main
from resources.machine.embedded_postgres import EmbeddedPostgres

pytestmark = pytest.mark.usefixtures("good_loans")

CLASSES = "expected two classes, the rarer at least 1.0% (limits.minimum_class_share)"
BLOCKED_BY_CHECKS = {
    "NULL": (
        "UPDATE loans SET income = NULL, created_at = NULL WHERE id = 3; UPDATE loans SET age = NULL WHERE id < 3",
        {"no_nulls": "NULL, NaN or infinite: created_at: 1 rows, income: 1 rows, age: 2 rows; expected none"},
    ),
    "NaN and Infinity": (
        "UPDATE loans SET loan_amount = 'NaN', income = 'Infinity' WHERE id = 3",
        {
            "no_nulls": "NULL, NaN or infinite: loan_amount: 1 rows, income: 1 rows; expected none",
            "ranges": "outside of the bounds in the settings: income (0 to 100,000): 1 rows; expected none",
        },
    ),
    "out of range": (
        "UPDATE loans SET income = -0.01 WHERE id = 3; UPDATE loans SET credit_score = 851 WHERE id IN (4, 5)",
        {
            "ranges": "outside of the bounds in the settings: income (0 to 100,000): 1 rows, "
            "credit_score (300 to 850): 2 rows; expected none"
        },
    ),
    "one class": (
        "UPDATE loans SET default_status = 0",
        {"two_classes": f"default_status: 300 rows of 0, 0 of 1, 0 of anything else; {CLASSES}"},
    ),
    "three classes": (
        "UPDATE loans SET default_status = 2 WHERE id = 3",
        {"two_classes": f"default_status: 224 rows of 0, 75 of 1, 1 of anything else; {CLASSES}"},
    ),
    "zero rows": (
        "DELETE FROM loans",
        {
            "enough_rows": "0 rows; expected at least 100 (limits.minimum_rows)",
            "two_classes": f"default_status: 0 rows of 0, 0 of 1, 0 of anything else; {CLASSES}",
        },
    ),
    "30 rows": (
        "DELETE FROM loans WHERE id > 30",
        {"enough_rows": "30 rows; expected at least 100 (limits.minimum_rows)"},
    ),
    "a duplicate id": (
        "UPDATE loans SET id = 8 WHERE id = 9",
        {"unique_ids": "id: 1 rows repeat an id; expected none"},
    ),
    "a feature that knows the outcome": (
        "UPDATE loans SET purpose = CASE default_status WHEN 1 THEN 'written off' ELSE 'repaid' END",
        {"no_leakage": "features that know the outcome: purpose (1.000); expected an AUC of at most 0.98"},
    ),
}


@pytest.mark.parametrize("case", BLOCKED_BY_CHECKS)
def test_loans_that_fail_a_check_go_no_further_and_what_was_good_stays(
    checkout: Any, capfd: pytest.CaptureFixture[str], case: str
) -> None:
    statement, expected = BLOCKED_BY_CHECKS[case]
    checkout.execute(statement)
    before = checkout.state()
    assert checkout.run() == 1
    said = capfd.readouterr().err
    checkout.one_error(said, "loan_dataset was not committed", *expected.values())
    log = checkout.log(said)
    log.stopped_at("loan_dataset")
    found = log.failed_checks()
    assert found.keys() == expected.keys()
    assert all(found[check].startswith(description) for check, description in expected.items())
    assert checkout.state() == before
    checkout.latest_load()


BLOCKED_BY_TABLE = {
    "no table": (
        "DROP TABLE loans",
        "table loans is not in the database: create it, or correct table.name in the settings",
    ),
    "a missing column": (
        "ALTER TABLE loans DROP COLUMN income",
        "table loans has no column income (expected type number): add it, or correct ",
    ),
    "a column of another type": (
        "ALTER TABLE loans ALTER income TYPE text",
        "column loans.income is of type text; expected number (bigint, double precision, integer, numeric, ",
    ),
    "a value that no type holds": (
        "UPDATE loans SET created_at = '-infinity' WHERE id = 3",
        "a value of column created_at can't be read as timestamp[us, tz=UTC]; it is not shown here. Correct it",
    ),
}


@pytest.mark.parametrize("case", BLOCKED_BY_TABLE)
def test_a_table_that_is_not_as_declared_is_refused_by_its_column(
    checkout: Any, capfd: pytest.CaptureFixture[str], case: str
) -> None:
    statement, expected = BLOCKED_BY_TABLE[case]
    checkout.execute(statement)
    before = checkout.state()
    assert checkout.run() == 1
    said = capfd.readouterr().err
    checkout.one_error(said, expected)
    checkout.log(said).stopped_at("loan_dataset")
    assert checkout.state() == before
    checkout.latest_load()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://clerk:s3cr3t@127.0.0.1:1/lending", "Connection refused"),
        ("", 'database "no_such_database" does not exist'),
    ],
    ids=["nobody answers", "no such database"],
)
def test_without_a_database_nothing_is_computed_and_nothing_lost(
    checkout: Any, postgres: EmbeddedPostgres, capfd: pytest.CaptureFixture[str], url: str, expected: str
) -> None:
    before = checkout.state()
    url = url or postgres.url("postgres").replace("/postgres?", "/no_such_database?")
    assert checkout.run(LOANS_DATABASE_URL=url) == 1
    said = capfd.readouterr().err
    checkout.one_error(said, "LOANS_DATABASE_URL", expected)
    log = checkout.log(said)
    log.stopped_at("loan_dataset")
    assert "s3cr3t" not in said
    assert "LOANS_DATABASE_URL" in str(log)
    assert "s3cr3t" not in str(log)
    assert checkout.state() == before


@pytest.fixture
def clerk(checkout: Any, postgres: EmbeddedPostgres) -> Iterator[Callable[[str], str]]:
    """A role that must give its password and may read nothing: the URL of the loans for a password."""
    url = checkout.environment["LOANS_DATABASE_URL"]
    rules = postgres.data / "pg_hba.conf"
    as_they_were = rules.read_text()

    def reload(text: str) -> None:
        rules.write_text(text)
        ((asked,),) = checkout.execute("SELECT clock_timestamp()")
        checkout.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 10
        while not checkout.execute(f"SELECT 1 WHERE pg_conf_load_time() > '{asked.isoformat()}'"):
            assert time.monotonic() < deadline, "the server did not read its rules again"

    checkout.execute("CREATE ROLE clerk LOGIN PASSWORD 'the right one'")
    reload(f"local all clerk scram-sha-256\n{as_they_were}")
    yield lambda password: url.replace("postgres@", f"clerk:{password}@")
    reload(as_they_were)
    checkout.execute("DROP ROLE clerk")


def test_a_wrong_password_and_a_missing_right_are_two_things(
    checkout: Any, clerk: Callable[[str], str], capfd: pytest.CaptureFixture[str]
) -> None:
    before = checkout.state()
    assert checkout.run(LOANS_DATABASE_URL=clerk("s3cr3t")) == 1
    wrong = capfd.readouterr().err
    checkout.one_error(
        wrong, 'password authentication failed for user "clerk"', "password and database in LOANS_DATABASE_URL"
    )
    checkout.log(wrong).stopped_at("loan_dataset")
    assert "s3cr3t" not in wrong

    assert checkout.run(LOANS_DATABASE_URL=clerk("the%20right%20one")) == 1
    denied = capfd.readouterr().err
    checkout.one_error(denied, "permission denied for table loans", "LOANS_DATABASE_URL")
    assert checkout.state() == before


@pytest.mark.parametrize(
    ("url", "expected"),
    [("postgresql://dagster:s3cr3t@127.0.0.1:1/dagster", "Connection refused"), ("", "DAGSTER_POSTGRES_URL is empty")],
)
def test_without_a_place_for_runs_and_events_nothing_starts(
    checkout: Any, capfd: pytest.CaptureFixture[str], url: str, expected: str
) -> None:
    assert checkout.run(DAGSTER_POSTGRES_URL=url) == 1
    said = capfd.readouterr()
    checkout.one_error(said.err, "DAGSTER_POSTGRES_URL", expected)
    assert "s3cr3t" not in said.err
    assert not said.out


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("minimum_rows", "minimun_rows", "limits.minimun_rows is not a setting; remove it or correct its name"),
        ("[target]", "[target", "is not TOML: "),
    ],
    ids=["unknown key", "not TOML"],
)
def test_a_wrong_settings_file_is_refused_before_anything_starts(
    checkout: Any, capfd: pytest.CaptureFixture[str], old: str, new: str, expected: str
) -> None:
    checkout.settings.write_text(checkout.good_settings.replace(old, new))
    before, runs = checkout.state(), checkout.instance.get_runs_count()
    assert checkout.run() == 1
    said = capfd.readouterr()
    checkout.one_error(said.err, f"CREDIT_SETTINGS: {checkout.settings}", expected)
    assert not said.out
    assert (checkout.state(), checkout.instance.get_runs_count()) == (before, runs)


def test_a_missing_settings_file_is_named(checkout: Any, capfd: pytest.CaptureFixture[str]) -> None:
    checkout.settings.unlink()
    assert checkout.run() == 1
    said = capfd.readouterr()
    checkout.one_error(said.err, f"CREDIT_SETTINGS: there is no settings file {checkout.settings}")
    assert not said.out


@pytest.mark.parametrize("name", ["my-loans.toml", "loans.v2.toml", f"{'l' * 51}.toml"])
def test_settings_whose_name_cannot_be_a_databases_are_refused_by_their_name(
    checkout: Any, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    settings = checkout.folder / name
    settings.write_text(checkout.good_settings)
    with checkout.entered():
        assert main(["run", "--settings", str(settings)]) == 1
    checkout.one_error(capfd.readouterr().err, f"{name}: it names a database too; rename it to letters, digits and _")


def test_the_command_ends_with_an_exit_code_and_one_sentence_in_a_process_of_its_own(checkout: Any) -> None:
    checkout.execute("UPDATE loans SET income = NULL WHERE id = 3")
    before = checkout.state()
    done = checkout.start("-m", "credit_assets.commands.main", "run", "--settings", "settings.toml")
    assert done.returncode == 1
    checkout.one_error(done.stderr, "no_nulls: NULL, NaN or infinite: income: 1 rows; expected none")
    assert "training       Dependencies for step training failed" in done.stdout
    assert checkout.state() == before

    checkout.settings.write_text("[tabel]")
    done = checkout.start("-m", "credit_assets.commands.main", "run", "--settings", "settings.toml")
    assert done.returncode == 1
    checkout.one_error(done.stderr, "CREDIT_SETTINGS: settings.toml: ", "tabel is not a setting")
