"""The release under a drill: the drill launches runs through its webserver, and waits for what becomes of them.

Belongs here: what a drill does to the release, and the lines of its report. Does not belong here: what event logs
contain (`history`), and what every drill asserts (`claims`).
"""

import json
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from resources.history.interruptions import count_work_lost
from resources.services.webserver import WebserverError
from tests.drills.support.adapter import Nodes
from tests.drills.support.cluster import NAMESPACE, RELEASE, kubectl, list_pods
from tests.drills.support.history import Histories

# Seconds that a training takes on one core of the cluster while nothing disturbs it. LONG outlasts most faults;
# LONGEST is as much as ten attempts train before their losses.
SHORT, TRAINING, LONG, LONGEST = 10, 20, 40, 75
# The limit of `TrainingConfig.n_estimators`.
MOST_TREES = 5_000
SIGNAL = """import os, sys
for pid in open("/proc/1/task/1/children").read().split():
    if "dagster" in open(f"/proc/{pid}/cmdline").read():
        os.kill(int(pid), int(sys.argv[1]))"""


def give_resources(resources: dict[str, Any]) -> dict[str, str]:
    """Tags of a run whose pod has these resources, as Kubernetes names them."""
    return {"dagster-k8s/config": json.dumps({"container_config": {"resources": resources}})}


class NotInTime(AssertionError):
    """A drill has waited for something that did not happen in time."""


@dataclass
class Platform(Histories):
    """The release: its webserver, its cluster, and the runs of this drill, which are printed if the drill fails.

    Attributes:
        nodes: the nodes of the cluster.
        record: adds a line to the report.
        trees_per_second: how fast an undisturbed training grows trees here; 0 if no drill has measured it.
        runs: the runs that this drill launched, or found.
        namespace, release: where the release is, and its name.
    """

    nodes: Nodes
    record: Callable[..., None]
    trees_per_second: float = 0
    runs: list[str] = field(default_factory=list)
    namespace: str = NAMESPACE
    release: str = RELEASE

    def launch(self, *arguments: Any, **more: Any) -> str:
        self.runs.append(self.webserver.launch(*arguments, **more))
        return self.runs[-1]

    def kubectl(self, *arguments: str) -> str:
        return kubectl(*arguments)

    def count_trees(self, lasting: float) -> int:
        """As many trees as a training grows in so many seconds, but no more than a training may have."""
        assert self.trees_per_second, "nobody has measured how fast this cluster grows trees"
        return max(1, min(MOST_TREES, round(lasting * self.trees_per_second)))

    def train(self, trees: int, **more: Any) -> str:
        """Launches a run that trains so many trees."""
        return self.launch("refresh", run_config={"ops": {"training": {"config": {"n_estimators": trees}}}}, **more)

    def train_long(self, lasting: float = TRAINING, **more: Any) -> str:
        """Launches a run whose training takes about so many seconds, undisturbed and on one core. It never sleeps."""
        return self.train(self.count_trees(lasting), **more)

    def train_for(self, seconds: float = 5, **more: Any) -> tuple[str, float]:
        """Launches a long run (see `train_long`) and waits until it has trained for some seconds.

        Returns:
            The run, and when its training began, in Unix seconds.

        Raises:
            NotInTime: the training has not begun in time, or it has ended already.
        """
        run = self.train_long(**more)
        began = self.wait_until("training has begun", lambda: self.find_training_start(run, seconds), 300)
        if self.read_step_ends(run, "training"):
            raise NotInTime(f"training of run {run} ended within {seconds:.0f} s: the drill needs a longer one")
        return run, began

    def train_many(self, count: int, lasting: float = TRAINING) -> list[str]:
        """Launches so many long runs at once, and waits until each has begun to train."""
        runs = [self.train_long(lasting) for _ in range(count)]
        for run in runs:
            self.wait_until("training has begun", lambda run=run: self.find_training_start(run, 0), 300)
        return runs

    def find_pod(self, run: str) -> dict[str, Any] | None:
        """The pod of a run; None if it has none. Pods of its steps are left out."""
        found = list_pods(f"dagster/run-id={run},!dagster/op")
        return found[0] if found else None

    def find_placed_pod(self, run: str) -> dict[str, Any] | None:
        """The pod of a run, if Kubernetes has chosen a node for it; else None."""
        pod = self.find_pod(run)
        return pod if pod and pod["spec"].get("nodeName") else None

    def signal_worker(self, run: str, number: int) -> None:
        """Sends a signal to Dagster's process in a run's pod, a child of the process that holds the lease."""
        pod = (self.find_pod(run) or {})["metadata"]["name"]
        kubectl("exec", pod, "--", "python", "-c", SIGNAL, str(number))

    def run_sql(self, statement: str, database: str) -> str:
        """Runs a statement in the release's PostgreSQL, and returns what psql prints."""
        command = ["psql", "-h", "127.0.0.1", "-U", "dagster", "-d", database, "-Atc", statement]
        script = f'PGPASSWORD="$POSTGRES_PASSWORD" {shlex.join(command)}'
        return kubectl("exec", f"{RELEASE}-postgresql-0", "--", "sh", "-c", script).strip()

    def wait_until(self, what: str, probe: Callable[[], Any], patience: float) -> Any:
        """Calls the probe until its result is not empty, and returns it. An error of the webserver is no result.

        Raises:
            NotInTime: the result is still empty when patience ends.
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

    def find_retry(self, run: str) -> str | None:
        """Finds the run that retries this one; None if there is none. Asserts that there is no second."""
        children = self.find_runs("dagster/parent_run_id", run)
        assert len(children) <= 1, f"run {run} was retried {len(children)} times at once: {children}"
        self.runs += [each for each in children if each not in self.runs]
        return children[0] if children else None

    def record_loss(
        self, fault: str, run: str, retry: str, began: float, struck: float, worked_until: float, **more: Any
    ) -> None:
        """Adds a line to the report, from the event logs of a lost run and of its retry; times are Unix seconds."""
        (again,) = self.read_step_starts(retry, "training")
        more |= {"running_again_after": round(again - struck, 1), **self.count_repetitions(run, retry)}
        self.record_lost(fault, run, began, struck, worked_until, **more)

    def record_lost(
        self, fault: str, run: str, began: float, struck: float, worked_until: float | None = None, **more: Any
    ) -> None:
        """Adds a line to the report for a lost run, even if it has no retry.

        Without a notice, the worker worked until the fault struck.
        """
        detected = self.read_events(run, "RunFailureEvent")[0]["at"] - struck
        end = struck if worked_until is None else worked_until
        work_lost = count_work_lost(end, [began, *self.read_commit_times(run, end)])
        self.record(fault=fault, detected_after=round(detected, 1), work_lost=round(work_lost, 1), **more)
