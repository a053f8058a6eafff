"""The command of the page that scores failed locations again must launch that job, and no other, and say so."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from credit_assets.definitions import build_defs
from credit_assets.waves.page import RESCORE
from resources.deployment import Deployment
from resources.services.webserver import Webserver
from tests.support.pages import ROOT, code_blocks
from tests.support.sandbox import Sandbox
from tests.support.servers.webserver import serve_webserver


@pytest.fixture
def webserver(sandbox: Sandbox) -> Iterator[Webserver]:
    """Dagster's own, with the workspace that `make ui` gives it."""
    with serve_webserver(sandbox.folder, sandbox.environment, "-w", str(ROOT / "workspace.yaml")) as started:
        yield started


def ask(command: str, webserver: Webserver) -> dict[str, str]:
    """What the webserver answers to the command of the page, in a shell."""
    assert command.count("http://localhost:3000/") == 1
    asked = command.replace("http://localhost:3000/", f"{webserver.url}/")
    done = subprocess.run(["sh", "-c", asked], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["data"]["launchRun"]


def test_the_command_of_the_page_launches_one_run_of_rescore_and_a_wrong_name_launches_none(
    sandbox: Sandbox, webserver: Webserver
) -> None:
    (command,) = (code for code in code_blocks(ROOT / "docs" / "waves" / "README.md", "sh") if "graphql" in code)
    assert ask(command.replace(f'"{RESCORE}"', '"no_such_job"'), webserver)["__typename"] != "LaunchRunSuccess"
    assert sandbox.instance.get_runs_count() == 0
    assert ask(command, webserver)["__typename"] == "LaunchRunSuccess"
    (run,) = sandbox.instance.get_runs()
    assert run.job_name == RESCORE
    job = build_defs(Deployment.from_environment()).resolve_job_def(RESCORE)
    config: Any = dg.validate_run_config(job, run.run_config)
    assert config["ops"]["wave"]["config"] == {"locations": [], "only_failed": True, "shard": 1, "shards": 1}
