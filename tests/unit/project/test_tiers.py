"""The quick tier stays quick: without this guard it grows a database, one imported fixture at a time."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[2] / "conftest.py"
FIXTURE = "import pytest\n\n@pytest.fixture\ndef database():\n    return 'slow'\n"


@pytest.mark.parametrize(("tier", "collected"), [("unit", False), ("assets", True)])
def test_a_unit_test_that_borrows_a_fixture_of_the_assets_tier_fails_at_collection(
    tmp_path: Path, tier: str, collected: bool
) -> None:
    for folder in ("unit", "assets"):
        (tmp_path / "tests" / folder).mkdir(parents=True)
    shutil.copy(CONFTEST, tmp_path / "tests")
    (tmp_path / "tests" / "assets" / "heavy.py").write_text(FIXTURE)
    test = "import sys\nsys.path.insert(0, {!r})\nfrom heavy import database\n\ndef test_it(database):\n    pass\n"
    (tmp_path / "tests" / tier / "test_it.py").write_text(test.format(str(tmp_path / "tests" / "assets")))

    command = [sys.executable, "-m", "pytest", "--collect-only", "--rootdir", str(tmp_path), "tests"]
    run = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)

    assert (run.returncode == 0) is collected, run.stdout + run.stderr
    refusal = f"tests/{tier}/test_it.py is in the unit tier and uses 'database' of tests/assets/heavy.py"
    assert (refusal in run.stderr) is not collected
