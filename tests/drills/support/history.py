"""The event logs of runs: when steps ran, what they published, and whether a run and its retries are complete.

Belongs here: reading what runs recorded. Does not belong here: launching runs, and waiting for them (`platform`).
"""

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from resources.history.facts import ITEMS, ITEMS_COMMITTED, OLD_COMMITTED
from resources.services.webserver import Webserver, read_metadata
from resources.store.io_manager import MANIFEST_SHA256, PLACE

TAGGED = """query ($tags: [ExecutionTag!]) { runsOrError(filter: { tags: $tags }) {
  ... on Runs { results { runId status } } } }"""
LOGS = "query ($key: [String!]!) { capturedLogs(logKey: $key) { stdout stderr } }"
# In each line that a run prints for an observation: Dagster's own logger writes the name of the event.
OBSERVATION_LINE = f" - {dg.DagsterEventType.ASSET_OBSERVATION.value} - "
ENDS = {"SUCCESS": "RunSuccessEvent", "FAILURE": "RunFailureEvent", "CANCELED": "RunCanceledEvent"}


@dataclass
class Histories:
    """The runs that one webserver knows. Times are Unix seconds by this machine's clock.

    Attributes:
        ahead: seconds by which the clocks of workers are ahead of it.
    """

    webserver: Webserver
    ahead: float = field(default=0.0, kw_only=True)

    def read_events(self, run: str, kind: str) -> list[dict[str, Any]]:
        """The events of one GraphQL type, the oldest first, each with its time `at`."""
        events = [event for event in self.webserver.read_events(run) if event["__typename"] == kind]
        return [event | {"at": int(event["timestamp"]) / 1000} for event in events]

    def read_log_lines(self, run: str) -> list[tuple[float, str]]:
        """The log lines of a run's assets, each with its time. The run prints the same lines to its standard output."""
        return [(event["at"] - self.ahead, event["message"]) for event in self.read_events(run, "LogMessageEvent")]

    def read_observation_times(self, run: str) -> list[float]:
        """When a run logged each observation, the earliest first. It prints a line for each, some every few seconds."""
        return sorted(event["at"] - self.ahead for event in self.read_events(run, "ObservationEvent"))

    def find_training_start(self, run: str, seconds: float) -> float | None:
        """When a run committed the first block of its forest; None until that is so many seconds ago.

        A block is committed as soon as the first trees have grown, so at that time the training itself is under way.
        """
        commits = self.read_commit_times(run, time.time() - seconds)
        return commits[0] if commits else None

    def read_commit_times(self, run: str, until: float) -> list[float]:
        """When a run committed each block of its forest, up to that time, the earliest first.

        Releases before 0.2 recorded no facts: of their runs, the log messages are read.
        """
        facts = [event["at"] - self.ahead for event, _ in self._read_commits(run)]
        messages = [at for at, message in self.read_log_lines(run) if message.endswith(OLD_COMMITTED)]
        return [at for at in sorted(facts + messages) if at <= until]

    def measure_pace(self, run: str) -> float:
        """Trees per second that a run grew, from its first block to its last.

        Raises:
            ValueError: it committed fewer than two blocks.
        """
        read = self._read_commits(run)
        commits = [(e["at"], int(logged[ITEMS_COMMITTED])) for e, logged in read if logged[ITEMS] == "trees"]
        if len(commits) < 2:
            raise ValueError(f"run {run} committed {len(commits)} blocks: a pace needs two, so train more trees")
        (first, few), (last, all_trees) = min(commits), max(commits)
        return (all_trees - few) / (last - first)

    def count_committed(self, run: str) -> int:
        """How many items, such as trees or locations, a run has committed. A fact includes those of earlier facts."""
        return max((int(logged[ITEMS_COMMITTED]) for _, logged in self._read_commits(run)), default=0)

    def _read_commits(self, run: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Each event that records a block, with its metadata."""
        observed = [(e, read_metadata(e["metadataEntries"])) for e in self.read_events(run, "ObservationEvent")]
        return [(event, logged) for event, logged in observed if ITEMS_COMMITTED in logged]

    def read_step_starts(self, run: str, step: str) -> list[float]:
        """When a step started in a run."""
        return self._read_step_times(run, step, "ExecutionStepStartEvent")

    def read_step_ends(self, run: str, step: str) -> list[float]:
        """When a step succeeded in a run."""
        return self._read_step_times(run, step, "ExecutionStepSuccessEvent")

    def _read_step_times(self, run: str, step: str, kind: str) -> list[float]:
        return [event["at"] - self.ahead for event in self.read_events(run, kind) if event["stepKey"] == step]

    def read_started_steps(self, run: str) -> set[str | None]:
        """The keys of the steps that started in a run."""
        return {event["stepKey"] for event in self.read_events(run, "ExecutionStepStartEvent")}

    def find_runs(self, tag: str, value: str) -> list[str]:
        """Ids of the runs that carry a tag, the newest first."""
        found = self.webserver.query(TAGGED, tags=[{"key": tag, "value": value}])["runsOrError"]
        return [run["runId"] for run in found["results"]]

    def read_captured_log(self, *key: str) -> str:
        """Both streams of a captured log, like the UI shows them."""
        logs = self.webserver.query(LOGS, key=list(key))["capturedLogs"]
        return f"{logs['stdout'] or ''}{logs['stderr'] or ''}"

    def read_output(self, run: str) -> str:
        """Everything that a run printed, like the UI shows it."""
        captured = self.read_events(run, "LogsCapturedEvent")
        return "".join(self.read_captured_log(run, "compute_logs", event["fileKey"]) for event in captured)

    def read_digests(self, *runs: str) -> dict[str, str]:
        """The digest of each asset that these runs materialized. Asserts that no asset has a second object."""
        objects = self.read_objects(*runs)
        assert all(len(committed) == 1 for committed in objects.values()), f"published twice: {objects}"
        return {asset: sha256 for asset, ((sha256, _, _),) in objects.items()}

    def read_objects(self, *runs: str) -> dict[str, set[tuple[str, str, str]]]:
        """The objects of each asset that these runs published: digest, place and manifest.

        A retry that adopts an object of its parent logs the same object again.
        """
        objects: dict[str, set[tuple[str, str, str]]] = {}
        for run in runs:
            for event in self.read_events(run, "MaterializationEvent"):
                logged = read_metadata(event["metadataEntries"])
                if PLACE not in logged:  # it is a promotion, of an object that was published before
                    continue
                committed = (logged["sha256"], logged[PLACE], logged[MANIFEST_SHA256])
                objects.setdefault("/".join(event["assetKey"]["path"]), set()).add(committed)
        return objects

    def count_repetitions(self, *runs: str) -> dict[str, int]:
        """Counts the steps that started in two of these runs, and the assets that were published twice."""
        starts = [step for run in runs for step in self.read_started_steps(run)]
        objects = self.read_objects(*runs).values()
        return {
            "steps_run_twice": len({step for step in starts if starts.count(step) > 1}),
            "published_twice": sum(len(committed) > 1 for committed in objects),
        }

    def assert_complete(self, *runs: str, beside_others: bool = False, unbegun: Collection[str] = ()) -> None:
        """Asserts that a run and its retries, the oldest first, are complete and have no gap.

        Each began once, or is `unbegun` and never began, and ended once. The last one succeeded and all others failed.
        There are no other retries, and each continues the one before it. Their model was promoted once. It may be
        promoted not at all if the run was `beside_others`, because a run with newer loans may be promoted first.
        """
        statuses = [self.webserver.read_run(run)["status"] for run in runs]
        assert statuses == ["FAILURE"] * (len(runs) - 1) + ["SUCCESS"], f"a lost run stays red: {statuses}"
        for run, status in zip(runs, statuses, strict=True):
            ends = [event["__typename"] for kind in ENDS.values() for event in self.read_events(run, kind)]
            assert ends == [ENDS[status]], f"run {run} is {status} and ended with {ends}"
            starts = self.read_events(run, "RunStartEvent")
            assert len(starts) == (run not in unbegun), f"run {run} started {len(starts)} times"
        promoted = [event for run in runs for event in self.read_events(run, "MaterializationEvent")]
        numbers = {
            logged["number"] for each in promoted if "number" in (logged := read_metadata(each["metadataEntries"]))
        }
        assert len(numbers) == 1 or (beside_others and not numbers), f"promoted as {sorted(numbers)}"
        root, *retries = runs
        assert sorted(self.find_runs("dagster/root_run_id", root)) == sorted(retries), "there are other retries"
        parents = [self.webserver.read_run(retry)["tags"]["dagster/parent_run_id"] for retry in retries]
        assert parents == list(runs[:-1]), f"retried in another order: {parents}"


def measure_missing(printed: list[float], shown: str, lost: float) -> float:
    """Seconds from the first line that is not shown to the loss of the worker; 0 if all lines are shown.

    Args:
        printed: when the run logged each observation, the earliest first. Each is one line of what it printed.
        shown: what the UI shows of the run's output.
        lost: when the worker was lost.
    """
    assert len(printed) > 1, "the run printed too little for anything to be missing"
    missing = printed[shown.count(OBSERVATION_LINE) :]
    return round(lost - missing[0], 1) if missing else 0.0
