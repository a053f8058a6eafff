"""Drill 20. Nothing fails, and a person reads the lineage of the release, as the runbooks say.

The Job of helm/lineage needs the settings, and the rights to read artifacts and Dagster's storage. Without them, nobody
can say what made the model in use while an alert is open.
"""

import os
import re
import subprocess

from tests.drills.support.cluster import NAMESPACE, RELEASE
from tests.drills.support.releases import ROOT


def read_lineage(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NAMESPACE": NAMESPACE, "RELEASE": RELEASE}
    command = ["helm/lineage", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_lineage_of_the_model_in_use_names_its_run_and_its_attempts(platform) -> None:
    run = platform.launch("refresh")
    assert platform.webserver.wait_for_run(run, 600) == "SUCCESS"
    latest = read_lineage()
    assert latest.returncode == 0, latest.stdout + latest.stderr
    promotion = re.search(r"^promotion number (\d+), .* in run ([0-9a-f-]{36})$", latest.stdout, re.MULTILINE)
    assert promotion, latest.stdout
    assert promotion[2] == run
    assert re.search(rf"^  {run} SUCCESS, ", latest.stdout, re.MULTILINE), "Dagster's storage was not read"
    again = read_lineage(promotion[1])
    assert (again.returncode, again.stdout) == (0, latest.stdout)


def test_the_lineage_of_a_promotion_that_never_existed_is_an_error() -> None:
    refused = read_lineage("9999999")
    assert refused.returncode == 1
    assert "There is no promotion 9999999" in refused.stdout
