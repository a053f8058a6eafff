"""The release under a drill: launched at as people launch, through its webserver, and asked what became of it."""

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from resources.history.interruptions import count_work_lost
from resources.services.webserver import WebserverError
from tests.drills.support.adapter import Nodes
from tests.drills.support.cluster import NAMESPACE, RELEASE, kubectl, pods
from tests.drills.support.history import Histories

TICK = """mutation ($selector: ScheduleSelector!, $at: Float!) {
  scheduleDryRun(selectorData: $selector, timestamp: $at) { __typename ... on DryRunInstigationTick {
  evaluationResult { skipReason error { message } runRequests { runKey } } } } }"""
SIGNAL = """import os, sys
for pid in open("/proc/1/task/1/children").read().split():
    if "dagster" in open(f"/proc/{pid}/cmdline").read():
        os.kill(int(pid), int(sys.argv[1]))"""


class NotInTime(AssertionError):
    """What should have happened by now has not."""


@dataclass
class Platform(Histories):
    """The release: its webserver, its cluster, and the runs of this drill, which are printed if it fails."""

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

    def train_long(self, trees: int = 1500, **more: Any) -> str:
        """Launches a run that trains for some 20 s of one core, or on more trees: no sleep stands for work."""
        return self.launch("refresh", run_config={"ops": {"training": {"config": {"n_estimators": trees}}}}, **more)

    def train_until_struck(self, seconds: float = 5) -> tuple[str, float]:
        """Launches a long run, and returns it with the time its training began, once that is some seconds ago."""
        run = self.train_long()
        (began,) = self.until("training has begun", lambda: self.training_since(run, seconds), 300)
        return run, began

    def pod(self, run: str) -> dict[str, Any] | None:
        """The pod of a run, not those of its steps; None if there is none (yet)."""
        found = pods(f"dagster/run-id={run},!dagster/op")
        return found[0] if found else None

    def signal_worker(self, run: str, number: int) -> None:
        """Sends a signal to what works in a run's pod, below the holder of its lease."""
        pod = (self.pod(run) or {})["metadata"]["name"]
        kubectl("exec", pod, "--", "python", "-c", SIGNAL, str(number))

    def sql(self, statement: str, database: str) -> str:
        """Asks the release's PostgreSQL."""
        command = ["psql", "-h", "127.0.0.1", "-U", "dagster", "-d", database, "-Atc", statement]
        inside = f'PGPASSWORD="$POSTGRES_PASSWORD" {shlex.join(command)}'
        return kubectl("exec", f"{RELEASE}-postgresql-0", "--", "sh", "-c", inside).strip()

    def until(self, what: str, probe: Callable[[], Any], patience: float) -> Any:
        """Asks until the answer is not empty. A question that the webserver leaves open is asked again.

        Raises:
            NotInTime: it still is when patience ends.
        """
        deadline, reason = time.monotonic() + patience, ""
        while time.monotonic() < deadline:
            try:
                if answer := probe():
                    return answer
            except WebserverError as error:
                reason = f"; {error}"
            time.sleep(0.5)
        raise NotInTime(f"not within {patience:.0f} s: {what}{reason}")

    def tick(self, schedule: str, at: datetime) -> dict[str, Any]:
        """What a schedule asks for at a time, evaluated by the code server as the UI's "Test schedule" has it done."""
        location = self.webserver.wait_for_location(30)
        selector = {"repositoryLocationName": location, "repositoryName": "__repository__", "scheduleName": schedule}
        ticked = self.webserver.query(TICK, selector=selector, at=at.timestamp())["scheduleDryRun"]
        result = ticked["evaluationResult"]
        assert not result["error"], result["error"]
        return result

    def retry_of(self, run: str) -> str | None:
        """The run that retries this one, if there is one; asserts that there is no second."""
        children = self.tagged("dagster/parent_run_id", run)
        assert len(children) <= 1, f"run {run} was retried {len(children)} times at once: {children}"
        self.runs += [each for each in children if each not in self.runs]
        return children[0] if children else None

    def record_loss(self, fault: str, run: str, retry: str, began: float, struck: float, **more: Any) -> None:
        """One line of the report, counted from the event logs of a lost run and of its retry; times in Unix seconds."""
        (again,) = self.step_starts(retry, "training")
        again_after = round(again - struck, 1)
        self.record_lost(fault, run, began, struck, running_again_after=again_after, **self.counted(run, retry), **more)

    def record_lost(self, fault: str, run: str, began: float, struck: float, **more: Any) -> None:
        """The line of a run that nobody may have retried."""
        detected = self.happened(run, "RunFailureEvent")[0]["at"] - struck
        kept = [began, *self.blocks_committed(run, struck)]
        lost = {"detected_after": round(detected, 1), "work_lost": round(count_work_lost(struck, kept), 1)}
        self.record(fault=fault, **lost, **more)
