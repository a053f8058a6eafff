"""The seed writes to a database: it must never touch loans that are there, nor leave half a table, nor print a row."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import cursor

from credit_assets.loans.seed import seed
from credit_assets.loans.table import check_table
from credit_assets.settings.file import Settings, SettingsError
from resources.machine.embedded_postgres import EmbeddedPostgres

HEADER = "income,purpose,default_status"


def declared(table: str = "loans", **source: object) -> Settings:
    return Settings.model_validate(
        {
            "table": {"name": table},
            "target": {"column": "default_status"},
            "features": {"income": {"type": "number"}, "purpose": {"type": "category"}},
            "seed": source,
        }
    )


@pytest.fixture
def empty(postgres: EmbeddedPostgres) -> Iterator[cursor]:
    """An empty database; what a test does to it is rolled back."""
    with closing(psycopg2.connect(postgres.create_database("seeded"))) as connection, connection.cursor() as cursor:
        yield cursor


@pytest.mark.parametrize("table", ["loans", "Loans", "order", "public.loans"])
def test_an_empty_table_is_filled_under_the_name_that_it_is_read_by(empty: cursor, tmp_path: Path, table: str) -> None:
    csv = tmp_path / "loans.csv"
    csv.write_bytes(f'\ufeff{HEADER}\r\n1.5,"car, used",0\r\n2,boat,1\r\n'.encode())
    assert seed(empty, declared(table, csv=csv)) == 2
    check_table(empty, declared(table))


def test_a_table_that_holds_a_loan_is_left_as_it_is(empty: cursor, tmp_path: Path) -> None:
    csv = tmp_path / "loans.csv"
    csv.write_text(f"{HEADER}\n1,car,0\n")
    assert seed(empty, declared(csv=csv)) == 1
    csv.write_text(f"{HEADER}\n2,boat,1\n3,boat,1\n")
    assert seed(empty, declared(csv=csv)) == 0
    empty.execute("SELECT income::int, purpose FROM loans")
    assert empty.fetchall() == [(1, "car")]


def test_without_a_source_the_table_is_made_and_stays_empty(empty: cursor) -> None:
    assert seed(empty, declared()) == 0
    check_table(empty, declared())


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "seed.csv: there is no file "),
        (f"{HEADER}\n1,caf\xe9,0\n".encode("latin1"), "can't be read: it is not UTF-8"),
        (b"", "the seed has no column default_status, income, purpose. Correct the header"),
        (
            b"income,default_status\n1,0\n",
            "the seed has no column purpose. Correct the header of the CSV file, or the settings",
        ),
        (
            f"{HEADER},city\n1,car,0,Rome\n".encode(),
            "the seed has columns that the settings do not declare: city. Correct the header",
        ),
        (
            f'{HEADER},"x"" integer"\n1,car,0,2\n'.encode(),
            'the seed has columns that the settings do not declare: x" integer. Correct',
        ),
        (
            f"{HEADER}\n1,car,0\nZeppelinpost,car,0\n".encode(),
            "22P02) at line 2, column income, counted below the header",
        ),
        (f"{HEADER}\n1,car,0\n1,Zeppelinpost\n".encode(), "22P04) at line 2, counted below the header"),
    ],
    ids=["missing", "latin1", "empty", "lacking", "another", "quoted", "another type", "short"],
)
def test_a_file_that_does_not_fit_is_refused_by_its_column_and_no_row_is_shown(
    empty: cursor, tmp_path: Path, content: bytes | None, expected: str
) -> None:
    csv = tmp_path / "loans.csv"
    if content is not None:
        csv.write_bytes(content)
    with pytest.raises(SettingsError) as refused:
        seed(empty, declared(csv=csv))
    assert str(refused.value).startswith("seed")
    assert expected in str(refused.value)
    assert "Zeppelinpost" not in str(refused.value)


def test_generated_loans_have_the_expected_columns(empty: cursor) -> None:
    with pytest.raises(
        SettingsError,
        match=r"^seed\.generate: the seed has no column purpose\. Name a CSV file in \[seed\], or extend generate_",
    ):
        seed(empty, declared(generate=10))


def test_what_postgresql_refuses_names_the_table_and_what_is_wrong_with_it(empty: cursor, tmp_path: Path) -> None:
    csv = tmp_path / "loans.csv"
    csv.write_text(f"{HEADER}\n1,car,0\n")
    with pytest.raises(
        SettingsError, match=r'table risk.loans can\'t be made or filled .*schema "risk" does not exist'
    ):
        seed(empty, declared("risk.loans", csv=csv))
    empty.connection.rollback()
    empty.execute("CREATE TABLE loans (id integer, created_at timestamp, default_status integer)")
    with pytest.raises(
        SettingsError, match=r'column "income" of relation "loans" does not exist.*drop the empty table'
    ):
        seed(empty, declared(csv=csv))
