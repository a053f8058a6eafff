"""A client of Dagster's webserver, which sends the same GraphQL over HTTP that the UI sends.

Belongs here: launching runs, waiting for them, and reading what they recorded. Does not belong here: any asset by name.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from resources.error_texts import is_from_us, remove_class_name
from resources.errors import PlatformError
from resources.services.http import open_session

ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
REPOSITORY = "__repository__"
# HTTP statuses that a Service answers with while no pod stands behind it.
AWAY = (502, 503, 504)
# Seconds in which a webserver loads the code again after its code server was replaced under it: Dagster looks every
# 10 s (dagster/_grpc/server_watcher.py). Until then it knows no job.
RELOADED_AFTER = 15

LOCATIONS = """{ workspaceOrError { ... on PythonError { message } ... on Workspace { locationEntries {
  name displayMetadata { key value } locationOrLoadError { __typename ... on PythonError { message } } } } } }"""
LAUNCH = """mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename
  ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  ... on RunConfigValidationInvalid { errors { message } } } }"""
REEXECUTE = """mutation ($params: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $params) { __typename
  ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  ... on RunConfigValidationInvalid { errors { message } } } }"""
RUN = """query ($run: ID!) { runOrError(runId: $run) { __typename ... on PythonError { message }
  ... on Run { status creationTime startTime endTime tags { key value } } } }"""
EVENTS = """query ($run: ID!, $cursor: String) { logsForRun(runId: $run, afterCursor: $cursor) { __typename
  ... on EventConnection { cursor hasMore events { __typename ... on MessageEvent { timestamp stepKey message }
  ... on ExecutionStepFailureEvent { error { message causes { message } } }
  ... on LogsCapturedEvent { fileKey }
  ... on MaterializationEvent { assetKey { path } metadataEntries { ...entry } }
  ... on ObservationEvent { assetKey { path } metadataEntries { ...entry } } } } } }"""
LATEST = """query ($key: AssetKeyInput!) { assetOrError(assetKey: $key) { __typename ... on Asset {
  assetMaterializations(limit: 1) { runId metadataEntries { ...entry } } } } }"""
ENTRY = """fragment entry on MetadataEntry { label ... on TextMetadataEntry { text }
  ... on FloatMetadataEntry { floatValue } ... on IntMetadataEntry { intValue } ... on PathMetadataEntry { path } }"""


class WebserverError(PlatformError):
    """The webserver doesn't answer, refuses, or has no code location. The message says which, and has its address."""


class RunMissing(WebserverError):
    """The webserver answers and knows no run of this id."""


@dataclass(frozen=True)
class Webserver:
    """One webserver, or a Service of several, by its address.

    Args:
        url: the part of the address before `/graphql`.
        repeats: how often a request is repeated, with back-off, while no webserver answers: 5 repeats take about 12 s.
    """

    url: str
    repeats: int = 5

    def query(self, operation: str, **variables: Any) -> dict[str, Any]:
        """Sends one GraphQL operation and returns the data of the answer.

        A mutation is repeated only if it reached no webserver, because it could otherwise be done twice.

        Raises:
            WebserverError: there is no answer, or the answer is an error.
        """
        import requests

        text = operation + (ENTRY if "...entry" in operation else "")
        is_safe = not operation.lstrip().startswith("mutation")
        try:
            statuses = AWAY if is_safe else ()
            with open_session(repeats=self.repeats, repeat_statuses=statuses, repeat_unanswered=is_safe) as session:
                request = {"query": text, "variables": variables}
                answer = session.post(f"{self.url}/graphql", json=request, timeout=30)
            body = answer.json()
        except requests.RequestException as error:
            raise WebserverError(f"{self.url} does not answer: {type(error).__name__}") from None
        if body.get("errors"):
            raise WebserverError(f"{self.url} refuses: {body['errors'][0]['message']}")
        if "data" not in body:
            raise WebserverError(f"{self.url} does not answer: HTTP {answer.status_code} {body.get('message', '')}")
        return body["data"]

    def wait_for_location(self, patience: float, image: str | None = None) -> str:
        """Waits until the code location is loaded, and returns its name.

        Args:
            patience: seconds to wait.
            image: with its tag. The location must have the code of this image. During an upgrade a webserver may still
                have the old code, and would launch runs with the old image. None: any code will do.

        Raises:
            WebserverError: it is not loaded in time. The message has the last reason.
        """
        deadline, reason = time.monotonic() + patience, f"{self.url} has no code location: nobody was asked"
        # This loop repeats the question itself, because the repeats of a request would outlast a short patience.
        once = replace(self, repeats=0)
        while time.monotonic() < deadline:
            try:
                found = once.query(LOCATIONS)["workspaceOrError"]
                for entry in found.get("locationEntries", []):
                    if not (lack := describe_lack(entry, image)):
                        return entry["name"]
                    reason = f"{self.url} has {lack}"
            except WebserverError as error:
                reason = str(error)
            time.sleep(1)
        raise WebserverError(f"{reason} (waited {patience:.0f} s)")

    def launch(
        self,
        job: str,
        assets: Sequence[str] = (),
        run_config: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        patience: float = 30,
    ) -> str:
        """Puts a run into the queue, like the button in the UI, and returns its id.

        Args:
            job: its name; the button "Materialize" launches `__ASSET_JOB`.
            assets: keys of the assets to materialize; empty for all assets of the job.
            run_config: in the form that the launchpad takes.
            tags: of the run.
            patience: seconds to wait for the code location, and at most 15 more for a webserver of the Service that
                does not know the job yet. It launches nothing, so to ask again is safe.

        Raises:
            WebserverError: the webserver does not answer, there is no such job, or its config is wrong.
        """
        selector: dict[str, Any] = {
            "repositoryLocationName": self.wait_for_location(patience),
            "repositoryName": REPOSITORY,
            "pipelineName": job,
        }
        if assets:
            selector["assetSelection"] = [{"path": asset.split("/")} for asset in assets]
        pairs = [{"key": key, "value": value} for key, value in (tags or {}).items()]
        params = {
            "selector": selector,
            "mode": "default",
            "runConfigData": run_config or {},
            "executionMetadata": {"tags": pairs},
        }
        deadline = time.monotonic() + min(patience, RELOADED_AFTER)
        while (answer := self.query(LAUNCH, params=params)["launchRun"])["__typename"] == "PipelineNotFoundError":
            if time.monotonic() >= deadline:
                break
            time.sleep(1)
        return self._read_run_id(answer, job)

    def reexecute(self, run_id: str, strategy: str, tags: Mapping[str, str]) -> str:
        """Puts a run that continues this one into the queue, like the button in the UI, and returns its id.

        Args:
            run_id: a run that has ended.
            strategy: `FROM_FAILURE` or `ALL_STEPS`.
            tags: of the new run, in addition to those of this run.

        Raises:
            WebserverError: the job does not exist, or no step is left to run.
        """
        extra = [{"key": key, "value": value} for key, value in tags.items()]
        params = {"parentRunId": run_id, "strategy": strategy, "extraTags": extra}
        return self._read_run_id(
            self.query(REEXECUTE, params=params)["launchRunReexecution"], f"what run {run_id} left"
        )

    def _read_run_id(self, answer: Mapping[str, Any], source: str) -> str:
        """The id of a launched run. `source` names its job, or the run that it continues, for the error message."""
        if answer["__typename"] != "LaunchRunSuccess":
            reason = answer.get("message") or "; ".join(each["message"] for each in answer.get("errors", []))
            raise WebserverError(f"{self.url} launched no run of {source}: {answer['__typename']} {reason}".rstrip())
        return answer["run"]["runId"]

    def read_run(self, run_id: str) -> dict[str, Any]:
        """Status, times (Unix seconds) and tags of a run.

        Raises:
            RunMissing: there is no such run.
        """
        found = self.query(RUN, run=run_id)["runOrError"]
        if found["__typename"] == "RunNotFoundError":
            raise RunMissing(f"{self.url} knows no run {run_id}")
        if found["__typename"] != "Run":
            raise WebserverError(f"{self.url} can't read run {run_id}: {found.get('message', found['__typename'])}")
        return found | {"tags": {tag["key"]: tag["value"] for tag in found["tags"]}}

    def wait_for_run(self, run_id: str, patience: float) -> str:
        """Waits until the run has ended, and while the webserver is away, and returns the status of the run.

        Raises:
            RunMissing: there is no such run.
            WebserverError: the run has not ended in time.
        """
        deadline, reason = time.monotonic() + patience, f"see {self.url}/runs/{run_id}"
        while time.monotonic() < deadline:
            try:
                status = self.read_run(run_id)["status"]
                if status in ENDED:
                    return status
            except RunMissing:
                raise
            except WebserverError as error:
                reason = str(error)
            time.sleep(0.5)
        raise WebserverError(f"run {run_id} has not ended after {patience:.0f} s; {reason}")

    def read_events(self, run_id: str) -> list[dict[str, Any]]:
        """The whole event log of a run, the oldest event first; timestamps are text: Unix milliseconds."""
        events, cursor = [], None
        while True:
            page = self.query(EVENTS, run=run_id, cursor=cursor)["logsForRun"]
            events += page["events"]
            cursor = page["cursor"]
            if not page["hasMore"]:
                return events

    def read_failure_reasons(self, run_id: str) -> list[str]:
        """Why the steps of a run failed: the innermost message of each. The run's own reason if no step failed."""
        events = self.read_events(run_id)
        steps = [event for event in events if event["__typename"] == "ExecutionStepFailureEvent"]
        reasons = [(event["error"]["causes"] or [event["error"]])[-1]["message"].strip() for event in steps]
        reasons = [remove_class_name(reason) if is_from_us(reason) else reason for reason in reasons]
        return reasons or [event["message"] for event in events if event["__typename"] == "RunFailureEvent"]

    def read_latest_metadata(self, asset: str) -> dict[str, Any]:
        """Texts and numbers of an asset's latest materialization, by label."""
        found = self.query(LATEST, key={"path": asset.split("/")})["assetOrError"]
        materializations = found.get("assetMaterializations") or []
        if not materializations:
            raise WebserverError(f"{self.url}: {asset} was never materialized")
        return read_metadata(materializations[0]["metadataEntries"])


def describe_lack(entry: Mapping[str, Any], image: str | None) -> str:
    """What a code location has instead of loaded code, or of the code of this image; empty if it lacks nothing."""
    loaded = entry["locationOrLoadError"] or {}  # null while it loads
    if loaded.get("__typename") != "RepositoryLocation":
        return f"no code location: {loaded.get('message', 'it is loading')}"
    stated = {each["key"]: each["value"] for each in entry["displayMetadata"]}.get("image", "that is not stated")
    return "" if image in (None, stated) else f"the code of image {stated}, expected {image}"


def read_metadata(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """The values of metadata entries, by label; an entry that is neither text nor number is left out."""
    kinds = ("text", "floatValue", "intValue", "path")
    return {entry["label"]: entry[kind] for entry in entries for kind in kinds if kind in entry}
