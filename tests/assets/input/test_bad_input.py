"""What an operator meets on a bad day: each kind of bad input ends in one clear sentence, and leaves all as it was.

Without these a run on half a table may replace yesterday's good model, and the person on duty may read a traceback
instead of the name of the setting or the column to correct.
"""

import time
from collections.abc import Callable, Iterator

import pytest

from credit_assets.commands.main import main
from credit_assets.commands.one_machine.run import execute
from credit_assets.jobs import REFRESH
from resources.deployment import Deployment
from resources.machine.embedded_postgres import EmbeddedPostgres
from tests.support.run_log import RunLog, assert_one_error
from tests.support.sandbox import GOOD_SETTINGS, Sandbox

pytestmark = pytest.mark.usefixtures("good_loans")

CLASSES = "expected two classes, the rarer at least 1.0% (limits.minimum_class_share)"
BLOCKED_BY_CHECKS = {
    "NULL": (
        "UPDATE loans SET income = NULL, created_at = NULL WHERE id = 3; UPDATE loans SET age = NULL WHERE id < 3",
        {"no_nulls": "NULL or NaN: created_at: 1 row, income: 1 row, age: 2 rows; expected none"},
    ),
    "NaN and Infinity": (
        "UPDATE loans SET loan_amount = 'NaN', income = 'Infinity' WHERE id = 3",
        {
            "no_nulls": "NULL or NaN: loan_amount: 1 row; expected none",
            "finite_numbers": "infinite: income: 1 row; expected none. Correct the rows",
            "ranges": "outside of the bounds in the settings: income (0 to 100,000): 1 row; expected none",
        },
    ),
    "out of range": (
        "UPDATE loans SET income = -0.01 WHERE id = 3; UPDATE loans SET credit_score = 851 WHERE id IN (4, 5)",
        {
            "ranges": "outside of the bounds in the settings: income (0 to 100,000): 1 row, "
            "credit_score (300 to 850): 2 rows; expected none. Correct the rows, or the bounds in the settings"
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
        {"unique_ids": "id: 1 row repeats an id; expected none"},
    ),
    "a feature that knows the outcome": (
        "UPDATE loans SET purpose = CASE default_status WHEN 1 THEN 'written off' ELSE 'repaid' END",
        {"no_leakage": "features that know the outcome: purpose (1.000); expected an AUC of at most 0.98"},
    ),
}


@pytest.mark.parametrize("case", BLOCKED_BY_CHECKS)
def test_loans_that_fail_a_check_go_no_further_and_what_was_good_stays(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str], case: str
) -> None:
    statement, expected = BLOCKED_BY_CHECKS[case]
    sandbox.execute(statement)
    before = sandbox.state()
    assert sandbox.run() == 1
    output = capfd.readouterr().err
    assert_one_error(output, "loan_dataset was not committed", *expected.values())
    log = sandbox.log(output)
    log.assert_stopped_at("loan_dataset")
    found = log.failed_checks()
    assert found.keys() == expected.keys()
    assert all(found[check].startswith(description) for check, description in expected.items())
    assert sandbox.state() == before
    sandbox.assert_latest_artifacts_load()


BLOCKED_BY_TABLE = {
    "no table": (
        "DROP TABLE loans",
        "table loans is not in the database: create it, or correct table.name in the settings",
    ),
    "a missing column": (
        "ALTER TABLE loans DROP COLUMN income",
        "table loans has no column income (expected bigint or double precision or",
    ),
    "a column of another type": (
        "ALTER TABLE loans ALTER income TYPE text",
        "column loans.income is of type text; expected number (bigint, double precision, integer, numeric, ",
    ),
    "a value that no integer holds": (
        "ALTER TABLE loans ALTER credit_score TYPE numeric; UPDATE loans SET credit_score = 700.5 WHERE id = 3",
        "a value of column credit_score is no whole number; it is not shown here. Correct it in the table",
    ),
}


@pytest.mark.parametrize("case", BLOCKED_BY_TABLE)
def test_a_table_that_is_not_as_declared_is_refused_by_its_column(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str], case: str
) -> None:
    statement, expected = BLOCKED_BY_TABLE[case]
    sandbox.execute(statement)
    before = sandbox.state()
    assert sandbox.run() == 1
    output = capfd.readouterr().err
    assert_one_error(output, expected)
    sandbox.log(output).assert_stopped_at("loan_dataset")
    assert sandbox.state() == before
    sandbox.assert_latest_artifacts_load()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://clerk:s3cr3t@127.0.0.1:1/lending", "Connection refused"),
        ("", 'database "no_such_database" does not exist'),
    ],
    ids=["nobody answers", "no such database"],
)
def test_without_a_database_no_run_begins_and_nothing_is_lost(
    sandbox: Sandbox, postgres: EmbeddedPostgres, capfd: pytest.CaptureFixture[str], url: str, expected: str
) -> None:
    before, runs = sandbox.state(), sandbox.instance.get_runs_count()
    url = url or postgres.create_database("postgres").replace("/postgres?", "/no_such_database?")
    assert sandbox.run(PLATFORM_DATABASE_URL=url) == 1
    output = capfd.readouterr().err
    assert_one_error(output, "PLATFORM_DATABASE_URL", expected)
    assert "s3cr3t" not in output
    assert "Dependencies for step" not in output
    assert (sandbox.state(), sandbox.instance.get_runs_count()) == (before, runs)


def test_a_database_that_goes_away_before_the_first_step_stops_the_run_there_and_shows_no_password(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    before = sandbox.state()
    log = execute_with_database(sandbox, "postgresql://clerk:s3cr3t@127.0.0.1:1/lending")
    log.assert_stopped_at("loan_dataset")
    assert "Connection refused. Is the server running" in str(log)
    assert "PLATFORM_DATABASE_URL" in str(log)
    assert "s3cr3t" not in str(log) + capfd.readouterr().err
    assert sandbox.state() == before


def execute_with_database(sandbox: Sandbox, url: str) -> RunLog:
    """The log of a run that began although its database can't be used."""
    with sandbox.entered(PLATFORM_DATABASE_URL=url):
        result = execute(Deployment.from_environment(), REFRESH, sandbox.instance)
    records = sandbox.instance.get_records_for_run(result.run_id).records
    return RunLog([record.event_log_entry for record in records])


@pytest.fixture
def clerk(sandbox: Sandbox, postgres: EmbeddedPostgres) -> Iterator[Callable[[str], str]]:
    """A role that must give its password and may read nothing: the URL of the loans for a password."""
    url = sandbox.environment["PLATFORM_DATABASE_URL"]
    rules = postgres.data / "pg_hba.conf"
    as_they_were = rules.read_text()

    def reload(text: str) -> None:
        rules.write_text(text)
        ((asked,),) = sandbox.execute("SELECT clock_timestamp()")
        sandbox.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 10
        while not sandbox.execute(f"SELECT 1 WHERE pg_conf_load_time() > '{asked.isoformat()}'"):
            assert time.monotonic() < deadline, "the server did not read its rules again"

    sandbox.execute("CREATE ROLE clerk LOGIN PASSWORD 'the right one'")
    reload(f"local all clerk scram-sha-256\n{as_they_were}")
    yield lambda password: url.replace("postgres@", f"clerk:{password}@")
    reload(as_they_were)
    sandbox.execute("DROP ROLE clerk")


def test_a_wrong_password_and_a_missing_right_are_two_things(
    sandbox: Sandbox, clerk: Callable[[str], str], capfd: pytest.CaptureFixture[str]
) -> None:
    before = sandbox.state()
    assert sandbox.run(PLATFORM_DATABASE_URL=clerk("s3cr3t")) == 1
    wrong = capfd.readouterr().err
    assert_one_error(
        wrong, 'password authentication failed for user "clerk"', "password and database in PLATFORM_DATABASE_URL"
    )
    log = execute_with_database(sandbox, clerk("s3cr3t"))
    log.assert_stopped_at("loan_dataset")
    assert "s3cr3t" not in wrong + str(log) + capfd.readouterr().err

    assert sandbox.run(PLATFORM_DATABASE_URL=clerk("the%20right%20one")) == 1
    denied = capfd.readouterr().err
    assert_one_error(denied, "permission denied for table loans", "GRANT SELECT ON the table TO clerk")
    assert sandbox.state() == before


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://dagster:s3cr3t@127.0.0.1:1/dagster", "Connection refused"),
        ("", "PLATFORM_HISTORY_URL is empty: expected URL of Dagster's own database"),
    ],
)
def test_without_a_place_for_runs_and_events_nothing_starts(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str], url: str, expected: str
) -> None:
    assert sandbox.run(PLATFORM_HISTORY_URL=url) == 1
    captured = capfd.readouterr()
    assert_one_error(captured.err, "PLATFORM_HISTORY_URL", expected)
    assert "s3cr3t" not in captured.err
    assert not captured.out


def test_an_empty_store_or_database_is_refused_before_a_run_begins(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str], good_loans: None
) -> None:
    before = sandbox.state()
    for name, expected in [("PLATFORM_STORE", "file:///absolute/folder"), ("PLATFORM_DATABASE_URL", "the loans")]:
        assert sandbox.run(**{name: ""}) == 1
        captured = capfd.readouterr()
        assert_one_error(captured.err, f"{name} is empty: expected", expected)
        assert not captured.out
    assert sandbox.state() == before


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("minimum_rows", "minimun_rows", "limits.minimun_rows is not a setting; remove it or correct its name"),
        ("[target]", "[target", "is not TOML: "),
    ],
    ids=["unknown key", "not TOML"],
)
def test_a_wrong_settings_file_is_refused_before_anything_starts(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str], old: str, new: str, expected: str
) -> None:
    sandbox.settings.write_text(GOOD_SETTINGS.replace(old, new))
    before, runs = sandbox.state(), sandbox.instance.get_runs_count()
    assert sandbox.run() == 1
    captured = capfd.readouterr()
    assert_one_error(captured.err, f"settings file {sandbox.settings}", expected)
    assert not captured.out
    assert (sandbox.state(), sandbox.instance.get_runs_count()) == (before, runs)


def test_a_missing_settings_file_is_an_error_with_its_path(sandbox: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    sandbox.settings.unlink()
    assert sandbox.run() == 1
    captured = capfd.readouterr()
    assert_one_error(captured.err, f"there is no settings file {sandbox.settings}", "PLATFORM_SETTINGS")
    assert not captured.out


@pytest.mark.parametrize("name", ["my-loans.toml", "loans.v2.toml", f"{'l' * 51}.toml"])
def test_settings_whose_name_cannot_be_a_databases_are_refused_by_their_name(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    settings = sandbox.folder / name
    settings.write_text(GOOD_SETTINGS)
    with sandbox.entered():
        assert main(["run", "--settings", str(settings)]) == 1
    assert_one_error(
        capfd.readouterr().err, f"{name}: the file's name is also a database's name", "letters, digits or `_`"
    )


def test_the_command_ends_with_an_exit_code_and_one_sentence_in_a_process_of_its_own(sandbox: Sandbox) -> None:
    sandbox.execute("UPDATE loans SET income = NULL WHERE id = 3")
    before = sandbox.state()
    done = sandbox.start("-m", "credit_assets.commands.main", "run", "--settings", "settings.toml")
    assert done.returncode == 1
    assert_one_error(done.stderr, "no_nulls: NULL or NaN: income: 1 row; expected none")
    assert "executing" not in done.stdout, "steps that are left out bury the error"
    assert sandbox.state() == before

    sandbox.settings.write_text("[tabel]")
    done = sandbox.start("-m", "credit_assets.commands.main", "run", "--settings", "settings.toml")
    assert done.returncode == 1
    assert_one_error(done.stderr, "settings file settings.toml: ", "tabel is not a setting")


def test_steps_in_pods_are_refused_where_there_are_none(sandbox: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    before, runs = sandbox.state(), sandbox.instance.get_runs_count()
    assert sandbox.run(PLATFORM_EXECUTOR="k8s_job") == 1
    captured = capfd.readouterr()
    assert_one_error(captured.err, "PLATFORM_EXECUTOR=k8s_job: only a release on a cluster", "Unset it here")
    assert not captured.out
    assert (sandbox.state(), sandbox.instance.get_runs_count()) == (before, runs)
