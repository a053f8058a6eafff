"""A draft that cannot be run leaves its reader where they were before: with a table and no settings."""

from contextlib import closing

import psycopg2
import pytest

from credit_assets.loans.seed import seed
from credit_assets.settings.file import load_settings
from tests.assets.inspection.lender_tables import WIDE
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
