"""A draft that cannot be run leaves its reader where they were before: with a table and no settings."""

from contextlib import closing

import psycopg2
import pytest

from credit_assets.loans.seed import seed
from credit_assets.settings.file import load_settings
from tests.assets.inspection.lender_tables import LOAN_BOOK, LOAN_VIEW, WIDE
from tests.support.settings import REPOSITORY


def test_german_credit_goes_from_its_rows_to_metrics_without_an_edited_line(
    drafts, capsys: pytest.CaptureFixture[str]
) -> None:
    drafts.make("")
    shipped = load_settings(REPOSITORY / "settings" / "german_credit.toml")
    with closing(psycopg2.connect(drafts.sandbox.environment["PLATFORM_DATABASE_URL"])) as connection, connection:
        seed(connection.cursor(), shipped)
    assert drafts.inspect() == 0
    drafted = load_settings(drafts.sandbox.settings)
    assert drafted.target == shipped.target
    assert drafted.features.keys() == shipped.features.keys()
    assert {name: column.type for name, column in drafted.features.items() if column.type == "category"} == {
        name: column.type for name, column in shipped.features.items() if column.type == "category"
    }
    assert drafted.personal == shipped.personal
    assert drafted.limits.cross_validation_folds == 10
    assert drafts.sandbox.run() == 0
    assert "Promotion: number 1" in capsys.readouterr().out


def test_a_table_of_400_columns_goes_to_metrics_with_one_edited_line(
    drafts, capsys: pytest.CaptureFixture[str]
) -> None:
    drafts.make(WIDE)
    assert drafts.inspect("--table", "wide") == 0
    drafted = load_settings(drafts.sandbox.settings)
    left_out = {f"{what}_{number}" for what in ("constant", "empty") for number in range(10)}
    left_out |= {"balance_after", *(f"copy_{number}" for number in range(4))}
    assert not left_out & drafted.features.keys()
    assert all(f"# {name} = " in drafts.text for name in left_out)
    assert {"score", "number_0", "code_0"} <= drafted.features.keys()
    assert drafted.limits.cross_validation_folds == 10
    drafts.edit(cross_validation_folds="0")  # ten more trainings would show nothing of the draft
    assert drafts.sandbox.run() == 0
    assert "Promotion: number" in capsys.readouterr().out


def test_a_table_of_32_columns_as_lenders_have_it_goes_to_metrics_with_one_edited_line(
    drafts, capsys: pytest.CaptureFixture[str]
) -> None:
    drafts.make(LOAN_BOOK)
    assert drafts.inspect("--table", "lending.Loan Book") == 0
    drafted = load_settings(drafts.sandbox.settings)
    assert (drafted.table.name, drafted.table.id, drafted.table.created_at) == ("lending.Loan Book", "id", "opened at")
    assert (drafted.target.column, drafted.target.at_least) == ("days_past_due", 90)
    assert {name: column.type for name, column in drafted.features.items()} == {
        "amount": "number",
        "term": "integer",
        "rate": "number",
        "Monthly Income": "number",
        "employment": "category",
        "is_homeowner": "boolean",
        "purpose": "category",
        "region": "category",
        "bureau_score": "integer",
        "open_accounts": "integer",
        "utilisation": "number",
        "customer_since": "date",
        "has_guarantor": "boolean",
    }
    assert {name for name, column in drafted.features.items() if column.missing == "allowed"} == {
        "Monthly Income",
        "bureau_score",
        "customer_since",
    }
    assert drafted.personal.keys() == {
        "geburtsdatum",
        "anrede",
        "marital_status",
        "nationality",
        "postleitzahl",
    }
    for name, why in (
        ("contact", "e-mail addresses"),
        ("customer_name", "the name of a person"),
        ("notes", "people typed it freely"),
        ("sold_to_agency", "it lies after the loan was made"),
        ("amount_recovered", "known after the outcome only"),
        ("tags", "a view may have "),
        ("legacy_code", "98.0% missing"),
    ):
        (line,) = (each for each in drafts.text.splitlines() if each.startswith(f"# {name}"))
        assert why in line
    drafts.edit(cross_validation_folds="0")
    assert drafts.sandbox.run() == 0
    assert "Promotion: number" in capsys.readouterr().out


def test_a_view_with_uuids_enums_and_nulls_goes_to_metrics_with_one_edited_line(
    drafts, capsys: pytest.CaptureFixture[str]
) -> None:
    drafts.make(LOAN_BOOK + LOAN_VIEW)
    assert drafts.inspect("--table", "loans_of_the_bank") == 0
    assert "LOOK: no index keeps two loans from having one" in drafts.text
    drafted = load_settings(drafts.sandbox.settings)
    assert (drafted.table.id, drafted.target.column, drafted.target.positive) == ("loan_id", "in default", True)
    drafts.edit(cross_validation_folds="0")
    assert drafts.sandbox.run() == 0
    assert "Promotion: number" in capsys.readouterr().out
