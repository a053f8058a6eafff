"""A Dagster webserver as its UI sees it: GraphQL over HTTP. Launches, waits and reads; knows no asset by name."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resources.errors import PlatformError
from resources.services.http import open_session

ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
REPOSITORY = "__repository__"
# What a Service answers when nobody stands behind it.
AWAY = (502, 503, 504)

LOCATIONS = """{ workspaceOrError { ... on PythonError { message } ... on Workspace { locationEntries {
  name locationOrLoadError { __typename ... on PythonError { message } } } } } }"""
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
    """The webserver doesn't answer, refuses, or has nothing loaded: says which, and its address."""


class RunMissing(WebserverError):
    """The webserver answers, and knows no such run."""


@dataclass(frozen=True)
class Webserver:
    """One webserver, or a Service of several, by its address.

    Args:
        url: what comes before `/graphql`.
        repeats: how often a question is repeated, with back-off, while nobody is there to answer: 5 are about 12 s.
    """

    url: str
    repeats: int = 5

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Asks one question. A mutation is repeated only if it reached nobody: it could be done twice.

        Raises:
            WebserverError: no answer, or one that is an error.
        """
        import requests

        text = query + (ENTRY if "...entry" in query else "")
        is_safe = not query.lstrip().startswith("mutation")
        try:
            with open_session(repeats=self.repeats, after=AWAY if is_safe else (), unanswered=is_safe) as session:
                asked = {"query": text, "variables": variables}
                answer = session.post(f"{self.url}/graphql", json=asked, timeout=30)
            body = answer.json()
        except requests.RequestException as error:
            raise WebserverError(f"{self.url} does not answer: {type(error).__name__}") from None
        if body.get("errors"):
            raise WebserverError(f"{self.url} refuses: {body['errors'][0]['message']}")
        if "data" not in body:
            raise WebserverError(f"{self.url} does not answer: HTTP {answer.status_code} {body.get('message', '')}")
        return body["data"]

    def wait_for_location(self, patience: float) -> str:
        """Waits until the code location is loaded, and returns its name.

        Raises:
            WebserverError: it is not there in time, with the last reason.
        """
        deadline, reason = time.monotonic() + patience, ""
        while time.monotonic() < deadline:
            try:
                found = self.ask(LOCATIONS)["workspaceOrError"]
                for entry in found.get("locationEntries", []):
                    if entry["locationOrLoadError"]["__typename"] == "RepositoryLocation":
                        return entry["name"]
                    reason = entry["locationOrLoadError"].get("message", "it is loading")
            except WebserverError as error:
                reason = str(error)
            time.sleep(1)
        raise WebserverError(f"{self.url} has no code location after {patience:.0f} s: {reason}")

    def launch(
        self,
        job: str,
        assets: Sequence[str] = (),
        run_config: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Puts a run into the queue, as the button in the UI does, and returns its id.

        Args:
            job: its name; `__ASSET_JOB` is the one that the button "Materialize" launches.
            assets: those of the job to materialize, by key; empty for all.
            run_config: as the launchpad takes it.
            tags: as the launchpad takes them.

        Raises:
            WebserverError: there is no such job, or its config is wrong.
        """
        selector: dict[str, Any] = {
            "repositoryLocationName": self.wait_for_location(30),
            "repositoryName": REPOSITORY,
            "pipelineName": job,
        }
        if assets:
            selector["assetSelection"] = [{"path": asset.split("/")} for asset in assets]
        tagged = [{"key": key, "value": value} for key, value in (tags or {}).items()]
        params = {
            "selector": selector,
            "mode": "default",
            "runConfigData": run_config or {},
            "executionMetadata": {"tags": tagged},
        }
        return self._launched(self.ask(LAUNCH, params=params)["launchRun"], job)

    def reexecute(self, run_id: str, strategy: str, tags: Mapping[str, str]) -> str:
        """Puts a run that goes on from this one into the queue, as the button in the UI does, and returns its id.

        Args:
            run_id: a run that has ended.
            strategy: `FROM_FAILURE` or `ALL_STEPS`.
            tags: beside those of the run.

        Raises:
            WebserverError: its job is not there, or there is nothing left to do.
        """
        extra = [{"key": key, "value": value} for key, value in tags.items()]
        params = {"parentRunId": run_id, "strategy": strategy, "extraTags": extra}
        return self._launched(self.ask(REEXECUTE, params=params)["launchRunReexecution"], f"what run {run_id} left")

    def _launched(self, launched: Mapping[str, Any], what: str) -> str:
        if launched["__typename"] != "LaunchRunSuccess":
            said = launched.get("message") or "; ".join(each["message"] for each in launched.get("errors", []))
            raise WebserverError(f"{self.url} launched no run of {what}: {launched['__typename']} {said}".rstrip())
        return launched["run"]["runId"]

    def run(self, run_id: str) -> dict[str, Any]:
        """Status, times (Unix seconds) and tags of a run.

        Raises:
            RunMissing: there is none.
        """
        found = self.ask(RUN, run=run_id)["runOrError"]
        if found["__typename"] == "RunNotFoundError":
            raise RunMissing(f"{self.url} knows no run {run_id}")
        if found["__typename"] != "Run":
            raise WebserverError(f"{self.url} can't read run {run_id}: {found.get('message', found['__typename'])}")
        return found | {"tags": {tag["key"]: tag["value"] for tag in found["tags"]}}

    def wait_for_run(self, run_id: str, patience: float) -> str:
        """Waits until the run has ended and returns its status. A webserver that is away meanwhile is waited for.

        Raises:
            RunMissing: there is none.
            WebserverError: it has not ended in time.
        """
        deadline, reason = time.monotonic() + patience, f"see {self.url}/runs/{run_id}"
        while time.monotonic() < deadline:
            try:
                status = self.run(run_id)["status"]
                if status in ENDED:
                    return status
            except RunMissing:
                raise
            except WebserverError as error:
                reason = str(error)
            time.sleep(0.5)
        raise WebserverError(f"run {run_id} has not ended after {patience:.0f} s; {reason}")

    def events(self, run_id: str) -> list[dict[str, Any]]:
        """The whole event log of a run, in its order; timestamps are Unix milliseconds, as text."""
        events, cursor = [], None
        while True:
            page = self.ask(EVENTS, run=run_id, cursor=cursor)["logsForRun"]
            events += page["events"]
            cursor = page["cursor"]
            if not page["hasMore"]:
                return events

    def failures(self, run_id: str) -> list[str]:
        """Why its steps failed, innermost message each; the run's own last words if no step did."""
        events = self.events(run_id)
        steps = [event for event in events if event["__typename"] == "ExecutionStepFailureEvent"]
        said = [(event["error"]["causes"] or [event["error"]])[-1]["message"].strip() for event in steps]
        return said or [event["message"] for event in events if event["__typename"] == "RunFailureEvent"]

    def latest_metadata(self, asset: str) -> dict[str, Any]:
        """Texts and numbers of an asset's latest materialization, by label."""
        found = self.ask(LATEST, key={"path": asset.split("/")})["assetOrError"]
        materializations = found.get("assetMaterializations") or []
        if not materializations:
            raise WebserverError(f"{self.url}: {asset} was never materialized")
        return values(materializations[0]["metadataEntries"])


def values(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Metadata entries as values by label; those that are neither text nor number are left out."""
    kinds = ("text", "floatValue", "intValue", "path")
    return {entry["label"]: entry[kind] for entry in entries for kind in kinds if kind in entry}
