"""A Dagster webserver as its UI sees it: GraphQL over HTTP. Launches, waits and reads; knows no asset by name."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
REPOSITORY = "__repository__"

LOCATIONS = """{ workspaceOrError { ... on PythonError { message } ... on Workspace { locationEntries {
  name locationOrLoadError { __typename ... on PythonError { message } } } } } }"""
LAUNCH = """mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename
  ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  ... on RunConfigValidationInvalid { errors { message } } } }"""
RUN = """query ($run: ID!) { runOrError(runId: $run) { __typename ... on Run { status creationTime startTime endTime
  tags { key value } } } }"""
EVENTS = """query ($run: ID!, $cursor: String) { logsForRun(runId: $run, afterCursor: $cursor) { __typename
  ... on EventConnection { cursor hasMore events { __typename ... on MessageEvent { timestamp stepKey message }
  ... on ExecutionStepFailureEvent { error { message causes { message } } }
  ... on LogsCapturedEvent { fileKey }
  ... on MaterializationEvent { assetKey { path } metadataEntries { ...entry } } } } } }"""
LATEST = """query ($key: AssetKeyInput!) { assetOrError(assetKey: $key) { __typename ... on Asset {
  assetMaterializations(limit: 1) { runId metadataEntries { ...entry } } } } }"""
ENTRY = """fragment entry on MetadataEntry { label ... on TextMetadataEntry { text }
  ... on FloatMetadataEntry { floatValue } ... on IntMetadataEntry { intValue } ... on PathMetadataEntry { path } }"""


class WebserverError(Exception):
    """The webserver doesn't answer, refuses, or has nothing loaded: says which, and its address."""


@dataclass(frozen=True)
class Webserver:
    """One webserver, by its address."""

    url: str

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Asks one question.

        Raises:
            WebserverError: no answer within 30 s, or one that is an error.
        """
        import requests

        text = query + (ENTRY if "...entry" in query else "")
        try:
            answer = requests.post(f"{self.url}/graphql", json={"query": text, "variables": variables}, timeout=30)
            body = answer.json()
        except requests.RequestException as error:
            raise WebserverError(f"{self.url} does not answer: {type(error).__name__}") from None
        if body.get("errors"):
            raise WebserverError(f"{self.url} refuses: {body['errors'][0]['message']}")
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

    def launch(self, job: str, assets: Sequence[str] = (), run_config: Mapping[str, Any] | None = None) -> str:
        """Puts a run into the queue, as the button in the UI does, and returns its id.

        Args:
            job: its name; `__ASSET_JOB` is the one that the button "Materialize" launches.
            assets: those of the job to materialize, by key; empty for all.
            run_config: as the launchpad takes it.

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
        params = {"selector": selector, "mode": "default", "runConfigData": run_config or {}}
        launched = self.ask(LAUNCH, params=params)["launchRun"]
        if launched["__typename"] != "LaunchRunSuccess":
            said = launched.get("message") or "; ".join(each["message"] for each in launched.get("errors", []))
            raise WebserverError(f"{self.url} launched no run of {job}: {launched['__typename']} {said}".rstrip())
        return launched["run"]["runId"]

    def run(self, run_id: str) -> dict[str, Any]:
        """Status, times (Unix seconds) and tags of a run."""
        found = self.ask(RUN, run=run_id)["runOrError"]
        if found["__typename"] != "Run":
            raise WebserverError(f"{self.url} knows no run {run_id}")
        return found | {"tags": {tag["key"]: tag["value"] for tag in found["tags"]}}

    def wait_for_run(self, run_id: str, patience: float) -> str:
        """Waits until the run has ended and returns its status.

        Raises:
            WebserverError: it has not ended in time.
        """
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            status = self.run(run_id)["status"]
            if status in ENDED:
                return status
            time.sleep(0.5)
        raise WebserverError(f"run {run_id} has not ended after {patience:.0f} s; see {self.url}/runs/{run_id}")

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
