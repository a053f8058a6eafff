"""Drills: a release on a real cluster loses something, and what must and what must not happen then is looked up.

They run against the cluster that KUBECONFIG names and the release that `make deploy` made there. Runs are launched as
people launch them, through the webserver. How nodes are lost is three commands of the environment (NODE_KILL,
NODE_RECLAIM, NODE_START) in which {node} stands for the node's name; without them they are kind's. Each drill adds a
line to local/drills.jsonl (DRILL_REPORT), and the table of this session's lines is printed at the end.
"""

import json
import os
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from resources.io_manager import MANIFEST_SHA256, PLACE
from resources.webserver import Webserver, values

NAMESPACE, RELEASE = os.environ.get("NAMESPACE", "credit"), os.environ.get("RELEASE", "platform")
REPORT = Path(os.environ.get("DRILL_REPORT", Path(__file__).parents[2] / "local" / "drills.jsonl"))
FIGURES = ("detected_after", "running_again_after", "work_lost", "request_to_first_step", "request_to_success")
COLUMNS = ("fault", *FIGURES, "steps_run_twice", "published_twice")
TAGGED = """query ($tags: [ExecutionTag!]) { runsOrError(filter: { tags: $tags }) {
  ... on Runs { results { runId status } } } }"""
LOGS = "query ($key: [String!]!) { capturedLogs(logKey: $key) { stdout stderr } }"
TICK = """mutation ($selector: ScheduleSelector!, $at: Float!) {
  scheduleDryRun(selectorData: $selector, timestamp: $at) { __typename ... on DryRunInstigationTick {
  evaluationResult { skipReason error { message } runRequests { runKey } } } } }"""
LINES = pytest.StashKey[list[dict[str, Any]]]()


@dataclass(frozen=True)
class Nodes:
    """How nodes are lost and come back: one command each, which a cloud's own can be."""

    kill_command: str = os.environ.get("NODE_KILL", "docker kill {node}")
    reclaim_command: str = os.environ.get(
        "NODE_RECLAIM", "kubectl drain {node} --ignore-daemonsets --delete-emptydir-data --force --timeout=30s"
    )
    start_command: str = os.environ.get("NODE_START", "docker start {node}")

    def kill(self, node: str) -> None:
        """Power loss: no notice, no signal."""
        subprocess.run(shlex.split(self.kill_command.format(node=node)), check=True, capture_output=True)

    def reclaim(self, node: str) -> subprocess.Popen[bytes]:
        """Begins to take it away with notice, as spot clouds do, and does not wait for the end."""
        return subprocess.Popen(shlex.split(self.reclaim_command.format(node=node)), stdout=subprocess.DEVNULL)

    def start(self, node: str) -> None:
        """Boots a lost node again, and waits until it is ready."""
        subprocess.run(shlex.split(self.start_command.format(node=node)), check=True, capture_output=True)
        subprocess.run(["kubectl", "uncordon", node], check=False, capture_output=True)
        kubectl("wait", "--for=condition=Ready", f"node/{node}", "--timeout=180s")


def kubectl(*arguments: str) -> str:
    command = ["kubectl", "--namespace", NAMESPACE, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@dataclass
class Platform:
    """The release: its webserver, its cluster, and the runs of this drill, which are printed if it fails."""

    webserver: Webserver
    nodes: Nodes
    record: Callable[..., None]
    runs: list[str] = field(default_factory=list)
    namespace: str = NAMESPACE
    release: str = RELEASE

    def launch(self, *arguments: Any, **more: Any) -> str:
        self.runs.append(self.webserver.launch(*arguments, **more))
        return self.runs[-1]

    def kubectl(self, *arguments: str) -> str:
        return kubectl(*arguments)

    def train_long(self) -> str:
        """Launches a run that trains for about 40 s of one core: no sleep stands for work."""
        return self.launch("refresh", run_config={"ops": {"training": {"config": {"n_estimators": 1500}}}})

    def pod(self, run: str) -> dict[str, Any] | None:
        """The pod of a run; None if there is none (yet)."""
        found = json.loads(kubectl("get", "pods", "-l", f"dagster/run-id={run}", "-o", "json"))["items"]
        return found[0] if found else None

    def sql(self, statement: str, database: str) -> str:
        """Asks the release's PostgreSQL."""
        command = ["psql", "-h", "127.0.0.1", "-U", "dagster", "-d", database, "-Atc", statement]
        inside = f'PGPASSWORD="$POSTGRES_PASSWORD" {shlex.join(command)}'
        return kubectl("exec", f"{RELEASE}-postgresql-0", "--", "sh", "-c", inside).strip()

    def until(self, what: str, probe: Callable[[], Any], patience: float) -> Any:
        """Asks until the answer is not empty.

        Raises:
            AssertionError: it still is when patience ends.
        """
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if answer := probe():
                return answer
            time.sleep(0.5)
        raise AssertionError(f"not within {patience:.0f} s: {what}")

    def tagged(self, tag: str, value: str) -> list[str]:
        """Ids of the runs that carry a tag, the newest first."""
        found = self.webserver.ask(TAGGED, tags=[{"key": tag, "value": value}])["runsOrError"]
        return [run["runId"] for run in found["results"]]

    def logs(self, *key: str) -> str:
        """What the UI shows of a captured log: both streams."""
        logs = self.webserver.ask(LOGS, key=list(key))["capturedLogs"]
        return f"{logs['stdout'] or ''}{logs['stderr'] or ''}"

    def tick(self, schedule: str, at: datetime) -> dict[str, Any]:
        """What a schedule asks for at a time, evaluated by the code server as the UI's "Test schedule" has it done."""
        location = self.webserver.wait_for_location(30)
        selector = {"repositoryLocationName": location, "repositoryName": "__repository__", "scheduleName": schedule}
        ticked = self.webserver.ask(TICK, selector=selector, at=at.timestamp())["scheduleDryRun"]
        result = ticked["evaluationResult"]
        assert not result["error"], result["error"]
        return result

    def training_since(self, run: str, seconds: float) -> list[float]:
        """When the forest of a run began to grow, once that is some seconds ago."""
        return [
            at
            for event in self.webserver.events(run)
            if event["__typename"] == "LogMessageEvent" and event["message"].startswith("training ")
            if time.time() - (at := int(event["timestamp"]) / 1000) >= seconds
        ]

    def step_starts(self, run: str, step: str) -> list[float]:
        """When a step started in a run, Unix seconds."""
        return [
            int(event["timestamp"]) / 1000
            for event in self.webserver.events(run)
            if event["__typename"] == "ExecutionStepStartEvent" and event["stepKey"] == step
        ]

    def retry_of(self, run: str) -> str | None:
        """The run that retries this one, if there is one; asserts that there is no second."""
        children = self.tagged("dagster/parent_run_id", run)
        assert len(children) <= 1, f"run {run} was retried {len(children)} times at once: {children}"
        self.runs += [each for each in children if each not in self.runs]
        return children[0] if children else None

    def started(self, run: str) -> set[str | None]:
        """The steps that started in a run."""
        events = self.webserver.events(run)
        return {event["stepKey"] for event in events if event["__typename"] == "ExecutionStepStartEvent"}

    def record_loss(self, fault: str, run: str, retry: str, began: float, struck: float) -> None:
        """One line of the report, counted from the event logs of a lost run and of its retry; times in Unix seconds."""
        (again,) = self.step_starts(retry, "training")
        objects = self.objects(run, retry)
        self.record(
            fault=fault,
            detected_after=round(self.webserver.run(run)["endTime"] - struck, 1),
            running_again_after=round(again - struck, 1),
            work_lost=round(struck - began, 1),
            steps_run_twice=len(self.started(run) & self.started(retry)),
            published_twice=sum(len(committed) > 1 for committed in objects.values()),
        )

    def artifacts(self, *runs: str) -> dict[str, str]:
        """Digest of each asset that these runs materialized; asserts that no asset has a second object."""
        objects = self.objects(*runs)
        assert all(len(committed) == 1 for committed in objects.values()), f"published twice: {objects}"
        return {asset: sha256 for asset, ((sha256, _, _),) in objects.items()}

    def objects(self, *runs: str) -> dict[str, set[tuple[str, str, str]]]:
        """What these runs published of each asset: digest, place and manifest.

        A retry that adopts what its parent committed logs the same object again.
        """
        objects: dict[str, set[tuple[str, str, str]]] = {}
        for run in runs:
            for event in self.webserver.events(run):
                if event["__typename"] == "MaterializationEvent":
                    logged = values(event["metadataEntries"])
                    committed = (logged["sha256"], logged[PLACE], logged[MANIFEST_SHA256])
                    objects.setdefault("/".join(event["assetKey"]["path"]), set()).add(committed)
        return objects


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The webserver's address on this machine, through `kubectl port-forward`."""
    command = ["kubectl", "--namespace", NAMESPACE, "port-forward", f"service/{RELEASE}-webserver", ":80"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forward:
        line = forward.stdout.readline() if forward.stdout else ""
        port = line.partition("127.0.0.1:")[2].partition(" ")[0]
        assert port, f"no release {RELEASE} in namespace {NAMESPACE}? Run make deploy first"
        yield f"http://localhost:{port}"
        forward.terminate()


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
        with REPORT.open("a") as report:
            report.write(json.dumps(line) + "\n")

    platform = Platform(Webserver(address), Nodes(), record)
    platform.webserver.wait_for_location(120)
    before = request.session.testsfailed
    yield platform
    if request.session.testsfailed > before:
        show(platform)


def show(platform: Platform) -> None:
    """Prints what the runs of a failed drill recorded."""
    for run in platform.runs:
        print(f"--- run {run}")
        for event in platform.webserver.events(run):
            if "timestamp" in event:
                print(event["timestamp"], event["__typename"], event["stepKey"], event["message"][:200])
        logs = ["kubectl", "-n", NAMESPACE, "logs", "-l", f"dagster/run-id={run}", "--tail=50"]
        print(subprocess.run(logs, check=False, capture_output=True, text=True).stdout)
    print(kubectl("get", "pods", "-o", "wide"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = config.stash.get(LINES, [])
    if lines:
        terminalreporter.section("drills, in seconds")
        terminalreporter.write_line(" | ".join(COLUMNS))
        for line in lines:
            terminalreporter.write_line(" | ".join(str(line.get(column, "–")) for column in COLUMNS))
