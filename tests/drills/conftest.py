"""Drills: each takes something away from a release on a real cluster, and checks what must and must not follow.

They run against the cluster that KUBECONFIG names, and against the release that `make deploy` made there. They launch
runs through the webserver, like people do. Each drill adds a line to local/drills.jsonl (DRILL_REPORT), and the session
ends with a table of its lines. DRILL_ROUNDS repeats the drills whose figures are medians.

Belongs here: fixtures that all drills share, and what is printed. Does not belong here: commands to the cluster, and
assertions (`support`).
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from resources.services.webserver import Webserver, WebserverError
from tests.drills.support.adapter import Nodes
from tests.drills.support.cluster import NAMESPACE, RELEASE, make_selector
from tests.drills.support.platform import LONG, TRAINING, Platform
from tests.drills.support.report import REPORT, ROUNDS, make_table
from tests.drills.support.schedules import stop_schedules

# So many trees tell how fast the cluster grows them: 3 to 8 s of one core.
SAMPLE = 300
LINES = pytest.StashKey[list[dict[str, Any]]]()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "drill_round" in metafunc.fixturenames:
        metafunc.parametrize("drill_round", range(1, ROUNDS + 1))


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The webserver's address on this machine, through the API server.

    It names the Service and no pod, so it outlives every pod behind the Service. The proxy accepts no other path.
    """
    path = f"/api/v1/namespaces/{NAMESPACE}/services/{RELEASE}-webserver:80/proxy"
    command = ["kubectl", "proxy", "--port=0", f"--accept-paths=^{path}/"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:
        line = proxy.stdout.readline() if proxy.stdout else ""
        port = line.partition("127.0.0.1:")[2].strip()
        assert port, f"kubectl proxy said {line!r}: does KUBECONFIG name a cluster?"
        yield f"http://localhost:{port}{path}"
        proxy.terminate()


@pytest.fixture(scope="session", autouse=True)
def stopped_schedules(address: str) -> Iterator[list[str]]:
    """No schedule asks for runs beside those of the drills, not even at a full hour."""
    with stop_schedules(Webserver(address)) as stopped:
        yield stopped


@pytest.fixture(scope="session")
def trees_per_second(address: str) -> float:
    """How fast an undisturbed training grows trees: so many seconds of training mean the same on any cluster."""
    platform = Platform(Webserver(address), Nodes(), lambda **_: None)
    run = platform.train(SAMPLE)
    assert platform.webserver.wait_for_run(run, 300) == "SUCCESS"
    return platform.measure_pace(run)


@pytest.fixture(scope="session")
def undisturbed(address: str, trees_per_second: float) -> Callable[[float], dict[str, str]]:
    """Trains for about so many seconds while nothing disturbs the run, and returns the digests of its artifacts."""
    platform = Platform(Webserver(address), Nodes(), lambda **_: None, trees_per_second)

    @cache
    def train(lasting: float) -> dict[str, str]:
        run = platform.train_long(lasting)
        assert platform.webserver.wait_for_run(run, 600) == "SUCCESS"
        return platform.read_digests(run)

    return train


@pytest.fixture(scope="session")
def expected_digests(undisturbed: Callable[[float], dict[str, str]]) -> dict[str, str]:
    """Digests of the artifacts of a run that nothing disturbs. A disturbed run must make the same artifacts."""
    return undisturbed(TRAINING)


@pytest.fixture(scope="session")
def expected_long_digests(undisturbed: Callable[[float], dict[str, str]]) -> dict[str, str]:
    """The same for a run whose training is long."""
    return undisturbed(LONG)


@pytest.fixture
def platform(address: str, trees_per_second: float, request: pytest.FixtureRequest) -> Iterator[Platform]:
    lines = request.config.stash.setdefault(LINES, [])

    def record(**line: Any) -> None:
        lines.append(line)
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        with REPORT.open("a") as report:
            report.write(json.dumps(line) + "\n")

    platform = Platform(Webserver(address), Nodes(), record, trees_per_second)
    platform.webserver.wait_for_location(120)
    before = request.session.testsfailed
    yield platform
    if request.session.testsfailed > before:
        print_runs(platform)


def print_runs(platform: Platform) -> None:
    """Prints the events of a failed drill's runs, and the logs of the pods."""
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
        print_kubectl("logs", "-l", f"dagster/run-id={run}", "--tail=50", "--prefix")
    print_kubectl("logs", "-l", make_selector("daemon"), "--tail=50", "--prefix")
    print_kubectl("get", "pods", "-o", "wide")


def print_kubectl(*arguments: str) -> None:
    """Prints the output of kubectl, or its error: one pod that is lost must not hide the others."""
    command = ["kubectl", "-n", NAMESPACE, *arguments]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    print(result.stdout + result.stderr)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = config.stash.get(LINES, [])
    if lines:
        terminalreporter.section("drills, in seconds")
        for row in make_table(lines):
            terminalreporter.write_line(row)
