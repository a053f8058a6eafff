"""The shell of whoever runs the command changes no byte of the model, and ends no run.

Without this test, one more variable of a shell, a terminal or a locale makes another model out of the same loans.
"""

import os
import subprocess
import sys

import pytest

from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("good_loans")

SHELL = {
    # the locale and the terminal
    "LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii",
    "TZ": "Asia/Kathmandu", "NO_COLOR": "1", "COLUMNS": "20", "TERM": "dumb", "TMPDIR": "/nowhere",
    # how Python and its libraries compute
    "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1", "JOBLIB_MULTIPROCESSING": "0", "LOKY_MAX_CPU_COUNT": "1",
    # other machines
    "http_proxy": "http://nowhere.invalid:1", "all_proxy": "http://nowhere.invalid:1",
    "grpc_proxy": "http://nowhere.invalid:1",
    "PGOPTIONS": "-c search_path=other", "PGSERVICE": "other", "PGHOSTADDR": "192.0.2.1", "PGTZ": "nonsense",
    "PGDATESTYLE": "nonsense", "PGSSLMODE": "nonsense",
}  # fmt: skip


def test_a_run_in_a_strange_shell_makes_the_same_model(sandbox: Sandbox) -> None:
    assert sandbox.run() == 0
    digests = {asset: sandbox.latest(asset, "sha256") for asset in ("trained_model", "model_metrics")}
    before = sandbox.latest("trained_model")
    strange = {**os.environ, **sandbox.environment, **SHELL}
    strange.pop("HOME", None)
    done = subprocess.run(
        [sys.executable, "-m", "credit_assets.commands.main", "run", "--settings", "settings.toml"],
        cwd=sandbox.folder, env=strange, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert done.returncode == 0, done.stderr
    assert sandbox.latest("trained_model") != before, "it made no model of its own"
    assert {asset: sandbox.latest(asset, "sha256") for asset in digests} == digests
    assert digests["trained_model"] in done.stdout
