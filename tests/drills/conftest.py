"""Drills: a release on a real cluster loses something, and what must and what must not happen then is looked up.

They run against the cluster that KUBECONFIG names and the release that `make deploy` made there. Runs are launched as
people launch them, through the webserver. Each drill adds a line to local/drills.jsonl (DRILL_REPORT), and the table of
this session's lines is printed at the end. DRILL_ROUNDS repeats those whose figures are medians.
"""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from resources.services.webserver import Webserver, WebserverError
from tests.drills.support.adapter import Nodes
from tests.drills.support.cluster import NAMESPACE, RELEASE, component
from tests.drills.support.platform import Platform
from tests.drills.support.report import REPORT, ROUNDS, table

LINES = pytest.StashKey[list[dict[str, Any]]]()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "drill_round" in metafunc.fixturenames:
        metafunc.parametrize("drill_round", range(1, ROUNDS + 1))


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The webserver's address on this machine, by way of the API server.

    It names the Service and no pod, so that it outlives every pod behind it. Nothing else is let through.
    """
    path = f"/api/v1/namespaces/{NAMESPACE}/services/{RELEASE}-webserver:80/proxy"
    command = ["kubectl", "proxy", "--port=0", f"--accept-paths=^{path}/"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:
        line = proxy.stdout.readline() if proxy.stdout else ""
        port = line.partition("127.0.0.1:")[2].strip()
        assert port, f"kubectl proxy said {line!r}: does KUBECONFIG name a cluster?"
        yield f"http://localhost:{port}{path}"
        proxy.terminate()


@pytest.fixture(scope="session")
def undisturbed(address: str) -> dict[str, str]:
    """Digests of what a long run makes if nothing happens to it, which a disturbed one must make too."""
    platform = Platform(Webserver(address), Nodes(), lambda **_: None)
    run = platform.train_long()
    assert platform.webserver.wait_for_run(run, 600) == "SUCCESS"
    return platform.artifacts(run)


@pytest.fixture
def platform(address: str, request: pytest.FixtureRequest) -> Iterator[Platform]:
    lines = request.config.stash.setdefault(LINES, [])

    def record(**line: Any) -> None:
        lines.append(line)
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        with REPORT.open("a") as report:
            report.write(json.dumps(line) + "\n")

    platform = Platform(Webserver(address), Nodes(), record)
    platform.webserver.wait_for_location(120)
    before = request.session.testsfailed
    yield platform
    if request.session.testsfailed > before:
        show(platform)


def show(platform: Platform) -> None:
    """Prints what the runs of a failed drill recorded, and what pods say."""
    for run in platform.runs:
        print(f"--- run {run}")
        try:
            events = platform.webserver.read_events(run)
        except WebserverError as error:
            events = []
            print(f"its events can't be read: {error}")
        for event in events:
            if "timestamp" in event:
                print(event["timestamp"], event["__typename"], event["stepKey"], event["message"][:200])
        ask("logs", "-l", f"dagster/run-id={run}", "--tail=50", "--prefix")
    ask("logs", "-l", component("daemon"), "--tail=50", "--prefix")
    ask("get", "pods", "-o", "wide")


def ask(*arguments: str) -> None:
    """Prints what kubectl says, be it an error: what can't be had of a lost pod must not hide the rest."""
    command = ["kubectl", "-n", NAMESPACE, *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    print(done.stdout + done.stderr)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = config.stash.get(LINES, [])
    if lines:
        terminalreporter.section("drills, in seconds")
        for row in table(lines):
            terminalreporter.write_line(row)
