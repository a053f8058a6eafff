"""The draft that the first page shows is the first thing a lender compares with their own."""

from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from credit_assets.commands.main import main
from credit_assets.loans.seed import seed
from credit_assets.settings.file import load_settings
from tests.support.pages import ROOT, code_blocks
from tests.support.settings import LOANS_SETTINGS


def test_the_draft_that_the_readme_shows_is_that_of_the_loans_of_make_run(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(psycopg2.connect(database_url)) as connection, connection, connection.cursor() as cursor:
        seed(cursor, load_settings(LOANS_SETTINGS))
    monkeypatch.setenv("PLATFORM_DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)
    (command,) = (block for block in code_blocks(ROOT / "README.md") if "credit-platform inspect" in block)
    (arguments,) = (line.split()[1:] for line in command.splitlines() if "credit-platform inspect" in line)
    assert main(arguments) == 0
    drafted = (tmp_path / "settings" / "my_table.toml").read_text()
    (shown,) = code_blocks(ROOT / "README.md", "toml")
    parts = [part.strip("\n") for part in shown.split("…\n")]
    assert len(parts) == 2
    assert all(part in drafted for part in parts)
    assert drafted.index(parts[0]) < drafted.index(parts[1])
