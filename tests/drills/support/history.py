"""What the event logs of runs say: when steps ran, what they published, and whether the story has no gap."""

import time
from dataclasses import dataclass, field
from typing import Any

from resources.history.facts import ITEMS_COMMITTED, OLD_COMMITTED
from resources.services.webserver import Webserver, read_metadata
from resources.store.io_manager import MANIFEST_SHA256, PLACE

TAGGED = """query ($tags: [ExecutionTag!]) { runsOrError(filter: { tags: $tags }) {
  ... on Runs { results { runId status } } } }"""
LOGS = "query ($key: [String!]!) { capturedLogs(logKey: $key) { stdout stderr } }"
ENDS = {"SUCCESS": "RunSuccessEvent", "FAILURE": "RunFailureEvent", "CANCELED": "RunCanceledEvent"}


@dataclass
class Histories:
    """The runs that one webserver knows. Times are Unix seconds by this machine's clock.

    Attributes:
        ahead: seconds by which the clocks of workers are ahead of it.
    """

    webserver: Webserver
    ahead: float = field(default=0.0, kw_only=True)

    def happened(self, run: str, kind: str) -> list[dict[str, Any]]:
        """The events of one GraphQL type, with `at`, in their order."""
        events = [event for event in self.webserver.read_events(run) if event["__typename"] == kind]
        return [event | {"at": int(event["timestamp"]) / 1000} for event in events]

    def said(self, run: str) -> list[tuple[float, str]]:
        """What its assets logged, and when. The same lines are printed to its standard output."""
        return [(event["at"] - self.ahead, event["message"]) for event in self.happened(run, "LogMessageEvent")]

    def training_since(self, run: str, seconds: float) -> list[float]:
        """When the forest of a run began to grow, once that is some seconds ago."""
        began = [at for at, message in self.said(run) if message.startswith("training ")]
        return [at for at in began if time.time() - at >= seconds]

    def blocks_committed(self, run: str, until: float) -> list[float]:
        """When each block of the forest was committed, up to that time."""
        facts = [
            event["at"] - self.ahead
            for event in self.happened(run, "ObservationEvent")
            if ITEMS_COMMITTED in read_metadata(event["metadataEntries"])
        ]
        by_older_releases = [at for at, message in self.said(run) if message.endswith(OLD_COMMITTED)]
        return [at for at in sorted(facts + by_older_releases) if at <= until]

    def step_starts(self, run: str, step: str) -> list[float]:
        """When a step started in a run."""
        starts = self.happened(run, "ExecutionStepStartEvent")
        return [event["at"] - self.ahead for event in starts if event["stepKey"] == step]

    def started(self, run: str) -> set[str | None]:
        """The steps that started in a run."""
        return {event["stepKey"] for event in self.happened(run, "ExecutionStepStartEvent")}

    def tagged(self, tag: str, value: str) -> list[str]:
        """Ids of the runs that carry a tag, the newest first."""
        found = self.webserver.query(TAGGED, tags=[{"key": tag, "value": value}])["runsOrError"]
        return [run["runId"] for run in found["results"]]

    def logs(self, *key: str) -> str:
        """What the UI shows of a captured log: both streams."""
        logs = self.webserver.query(LOGS, key=list(key))["capturedLogs"]
        return f"{logs['stdout'] or ''}{logs['stderr'] or ''}"

    def printed(self, run: str) -> str:
        """What the UI shows of everything that a run printed."""
        captured = self.happened(run, "LogsCapturedEvent")
        return "".join(self.logs(run, "compute_logs", event["fileKey"]) for event in captured)

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
            for event in self.happened(run, "MaterializationEvent"):
                logged = read_metadata(event["metadataEntries"])
                if PLACE not in logged:  # a promotion: what it names was published before
                    continue
                committed = (logged["sha256"], logged[PLACE], logged[MANIFEST_SHA256])
                objects.setdefault("/".join(event["assetKey"]["path"]), set()).add(committed)
        return objects

    def counted(self, *runs: str) -> dict[str, int]:
        """What should not have happened, counted: steps that started in two of these runs, objects published anew."""
        starts = [step for run in runs for step in self.started(run)]
        objects = self.objects(*runs).values()
        return {
            "steps_run_twice": len({step for step in starts if starts.count(step) > 1}),
            "published_twice": sum(len(committed) > 1 for committed in objects),
        }

    def assert_complete(self, *runs: str, beside_others: bool = False) -> None:
        """A run and its retries, the oldest first: each began once and ended once, the last well and all others badly.

        And there are no others, each goes on from the one before it, and what they made was promoted once, or not at
        all if runs `beside_others` with newer loans came first.
        """
        statuses = [self.webserver.read_run(run)["status"] for run in runs]
        assert statuses == ["FAILURE"] * (len(runs) - 1) + ["SUCCESS"], f"a lost run stays red: {statuses}"
        for run, status in zip(runs, statuses, strict=True):
            ends = [event["__typename"] for kind in ENDS.values() for event in self.happened(run, kind)]
            assert ends == [ENDS[status]], f"run {run} is {status} and ended with {ends}"
            starts = self.happened(run, "RunStartEvent")
            assert len(starts) == 1, f"run {run} started {len(starts)} times"
        promoted = [event for run in runs for event in self.happened(run, "MaterializationEvent")]
        numbers = {
            logged["number"] for each in promoted if "number" in (logged := read_metadata(each["metadataEntries"]))
        }
        assert len(numbers) == 1 or (beside_others and not numbers), f"promoted as {sorted(numbers)}"
        root, *retries = runs
        assert sorted(self.tagged("dagster/root_run_id", root)) == sorted(retries), "there are other retries"
        parents = [self.webserver.read_run(retry)["tags"]["dagster/parent_run_id"] for retry in retries]
        assert parents == list(runs[:-1]), f"retried in another order: {parents}"
