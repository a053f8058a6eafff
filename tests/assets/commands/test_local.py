"""What one machine has before its first run. A look-up that filled tables would change what it was asked to look at."""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from credit_assets.commands.main import main
from credit_assets.commands.one_machine.local import describe_places, local_platform
from resources.deployment import Deployment
from resources.environment import DeploymentError
from resources.machine.embedded_postgres import EmbeddedPostgres
from tests.support.settings import REPOSITORY, write_loans_settings

OURS = ("lending", "dagster_fresh")


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def drop(postgres: EmbeddedPostgres) -> None:
    for name in OURS:
        execute(postgres.create_database("postgres"), f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def fresh(postgres: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Settings that were never used, in a checkout on the tests' server, and an environment that says nothing."""
    local = tmp_path / "local"
    local.mkdir()
    shutil.copy(REPOSITORY / "local" / "dagster.yaml", local)
    (local / "postgres").symlink_to(postgres.data)
    settings = write_loans_settings(tmp_path / "fresh.toml", rows=7, locations=3)
    monkeypatch.chdir(tmp_path)
    for name in (
        "PLATFORM_DATABASE_URL",
        "PLATFORM_SCORES_URL",
        "PLATFORM_STORE",
        "PLATFORM_HISTORY_URL",
        "DAGSTER_HOME",
    ):
        monkeypatch.delenv(name, raising=False)
    drop(postgres)  # what tests of other files left on the server that they share
    yield settings
    drop(postgres)


def test_the_lineage_command_creates_and_fills_no_table_of_loans(
    postgres: EmbeddedPostgres, fresh: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lending = "SELECT 1 FROM pg_database WHERE datname = 'lending'"
    assert main(["lineage", "--settings", str(fresh)]) == 1
    captured = capsys.readouterr()
    assert "it is not there. The first run makes it" in captured.err
    assert not captured.out
    assert not (fresh.parent / "local" / "store").exists(), "a command that only reads has made a store"
    assert not execute(postgres.create_database("postgres"), lending)

    with local_platform(fresh, Deployment()):
        assert capsys.readouterr().out == (
            "filled the empty table loans with 7 loans\n"
            "filled the empty tables locations and applications with 3 locations and 156 applications\n"
        )
        assert {"DAGSTER_HOME", "PLATFORM_HISTORY_URL"} <= os.environ.keys()
    assert not {"DAGSTER_HOME", "PLATFORM_HISTORY_URL"} & os.environ.keys(), "the next command would use this history"
    execute(postgres.create_database("lending"), "DELETE FROM loans")
    assert main(["lineage", "--settings", str(fresh)]) == 1
    assert execute(postgres.create_database("lending"), "SELECT count(*) FROM loans") == [(0,)]


def test_scores_are_written_to_our_own_database_or_to_one_that_was_named_and_to_no_other(
    postgres: EmbeddedPostgres, fresh: Path
) -> None:
    with local_platform(fresh, Deployment()) as local:
        assert local.deployment.scores_url == local.deployment.database_url
    with (
        pytest.raises(DeploymentError, match="PLATFORM_SCORES_URL is set and PLATFORM_DATABASE_URL is not"),
        local_platform(fresh, Deployment(scores_url="postgresql://scores")),
    ):
        pytest.fail("scores of loans that are made up would be written to somebody's database")
    of_somebody = postgres.create_database("lending")
    with local_platform(fresh, Deployment(database_url=of_somebody)) as local:
        assert local.deployment.scores_url is None
    with local_platform(fresh, Deployment(database_url=of_somebody, scores_url="postgresql://scores")) as local:
        assert local.deployment.scores_url == "postgresql://scores"


def test_without_locations_in_the_seed_only_loans_are_made(postgres: EmbeddedPostgres, fresh: Path) -> None:
    write_loans_settings(fresh, rows=7, locations=0)
    with local_platform(fresh, Deployment()) as local:
        assert local.deployment.database_url
        assert execute(local.deployment.database_url, "SELECT to_regclass('locations'), to_regclass('loans')") == [
            (None, "loans")
        ]


@pytest.mark.parametrize("statement", ["SELECT 1", 'CREATE TABLE "Loan Book" (id int)'])
def test_a_forgotten_variable_makes_no_empty_table_and_is_named(
    postgres: EmbeddedPostgres, fresh: Path, statement: str
) -> None:
    write_loans_settings(fresh, rows=0)
    fresh.write_text(fresh.read_text().replace('name = "loans"', 'name = "Loan Book"'))
    url = postgres.create_database("lending")
    execute(url, 'DROP TABLE IF EXISTS "Loan Book"')
    execute(url, statement)
    before = execute(url, "SELECT to_regclass('\"Loan Book\"')")
    said = r"PLATFORM_DATABASE_URL is not set, and the embedded PostgreSQL has no loans in Loan Book: set PLATFORM_DATA"
    with pytest.raises(DeploymentError, match=said), local_platform(fresh, Deployment()):
        pytest.fail("an empty table is read, and the message blames the loans")
    assert execute(url, "SELECT to_regclass('\"Loan Book\"')") == before


def test_loans_that_somebody_put_into_the_embedded_database_are_read_without_a_seed(
    postgres: EmbeddedPostgres, fresh: Path
) -> None:
    with local_platform(fresh, Deployment()):
        pass
    write_loans_settings(fresh, rows=0)
    with local_platform(fresh, Deployment()) as local:
        assert describe_places(local.deployment, Deployment()).startswith(
            "loans of the embedded PostgreSQL, artifacts in file:///"
        )
        assert describe_places(local.deployment, local.deployment).startswith("loans of PLATFORM_DATABASE_URL, ")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "CREATE TABLE scores (application text)",
            "application is text (expected bigint, because column applications.",
        ),
        ("ALTER TABLE applications RENAME COLUMN location TO place", "location"),
    ],
)
def test_a_table_that_no_wave_can_use_is_refused_before_a_model_is_trained(
    postgres: EmbeddedPostgres, fresh: Path, capsys: pytest.CaptureFixture[str], statement: str, said: str
) -> None:
    with local_platform(fresh, Deployment()) as local:
        assert local.deployment.database_url
        execute(local.deployment.database_url, statement)
    assert main(["run", "--settings", str(fresh)]) == 1
    printed = capsys.readouterr().err
    assert said in printed
    assert "enough_rows" not in printed, "the seven loans were read first"
    assert execute(postgres.create_database("dagster_fresh"), "SELECT to_regclass('runs')") == [(None,)]
