"""A command of a page that fails leaves its reader without a way to the data."""

import re
import subprocess
import sys
from pathlib import Path

from resources.machine.embedded_postgres import EmbeddedPostgres
from tests.support.pages import ROOT, code_blocks


def test_the_command_of_the_page_opens_psql_on_the_loans_of_one_machine(
    postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    (command,) = (
        code for code in code_blocks(ROOT / "docs" / "your-table" / "columns.md") if "psql" in code and "-c '" in code
    )
    code = re.fullmatch(r"\.venv/bin/python -c '\n(.*)'\n", command, re.DOTALL)
    assert code, command
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "postgres").symlink_to(postgres.data)
    question = "SELECT 'database ' || current_database();\n"
    done = subprocess.run(
        [sys.executable, "-c", code[1]], cwd=tmp_path, input=question, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "database lending" in done.stdout, done.stdout + done.stderr
