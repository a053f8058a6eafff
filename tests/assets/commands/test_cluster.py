"""If the hook of an installation passes over a store or a table that is not there, the first night's run finds out."""

from contextlib import closing

import psycopg2
import pytest

from credit_assets.commands.main import main
from tests.support.settings import LOANS_SETTINGS


@pytest.fixture
def environment(database_url: str, store_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATFORM_SETTINGS", str(LOANS_SETTINGS))
    monkeypatch.setenv("PLATFORM_STORE", store_uri)
    monkeypatch.setenv("PLATFORM_DATABASE_URL", database_url)


def count(database_url: str) -> int | None:
    """Rows of the table; None if there is none."""
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('loans')")
        if cursor.fetchone() == (None,):
            return None
        cursor.execute("SELECT count(*) FROM loans")
        (rows,) = cursor.fetchone() or (0,)
        return rows


def test_store_and_loans_are_there_after_it_and_a_second_time_changes_nothing(
    environment, database_url, capsys
) -> None:
    assert main(["prepare", "--seed"]) == 0
    assert "keeps the first of two writers" in capsys.readouterr().out
    assert count(database_url) == 20_000
    assert main(["prepare", "--seed"]) == 0
    assert count(database_url) == 20_000


def test_loans_of_somebody_else_are_left_alone(environment, database_url) -> None:
    assert main(["prepare"]) == 0
    assert count(database_url) is None


@pytest.mark.parametrize("store_uri", ["file"], indirect=True)
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "PLATFORM_STORE",
            "ftp://store",
            "PLATFORM_STORE='ftp://store': expected file:///absolute/folder or s3://bucket",
        ),
        (
            "PLATFORM_SETTINGS",
            "/nowhere.toml",
            "there is no settings file /nowhere.toml. Name one by --settings, or by PLATFORM_SETTINGS",
        ),
        ("PLATFORM_DATABASE_URL", "postgresql://u:secret@127.0.0.1:1/x", "the database can't be used"),
    ],
)
def test_a_wrong_value_fails_the_installation_with_its_name(
    environment, monkeypatch, capsys, name, value, said
) -> None:
    monkeypatch.setenv(name, value)
    assert main(["prepare", "--seed"]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert "secret" not in error
