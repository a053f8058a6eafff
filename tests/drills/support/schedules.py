"""The schedules of the release under a drill: what one of them would ask for, and how all are stopped meanwhile.

Belongs here: GraphQL of schedules. Does not belong here: runs that a drill itself launches (`platform`).
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any

from resources.services.webserver import REPOSITORY, Webserver, WebserverError

DRY_RUN = """mutation ($selector: ScheduleSelector!, $at: Float!) {
  scheduleDryRun(selectorData: $selector, timestamp: $at) { __typename ... on DryRunInstigationTick {
  evaluationResult { skipReason error { message } runRequests { runKey } } } } }"""
SCHEDULES = """query ($selector: RepositorySelector!) { schedulesOrError(repositorySelector: $selector) { __typename
  ... on PythonError { message } ... on Schedules { results { name scheduleState { id status } } } } }"""
STOP = """mutation ($id: String!) { stopRunningSchedule(id: $id) { __typename
  ... on PythonError { message } ... on ScheduleStateResult { scheduleState { status } } } }"""
START = """mutation ($selector: ScheduleSelector!) { startSchedule(scheduleSelector: $selector) { __typename
  ... on PythonError { message } ... on ScheduleStateResult { scheduleState { status } } } }"""
# Seconds that the code location may take to load: the last drill may have taken its code servers away.
PATIENCE = 120


def evaluate_schedule(webserver: Webserver, schedule: str, at: datetime) -> dict[str, Any]:
    """Evaluates a schedule at a time, like "Test schedule" in the UI, and returns its requests or its skip."""
    selector = {**_make_selector(webserver, 30), "scheduleName": schedule}
    answer = webserver.query(DRY_RUN, selector=selector, at=at.timestamp())["scheduleDryRun"]
    result = answer["evaluationResult"]
    assert not result["error"], result["error"]
    return result


@contextmanager
def stop_schedules(webserver: Webserver) -> Iterator[list[str]]:
    """Stops every schedule that is running, yields their names, and starts the same ones at the end.

    A run that a schedule asks for takes cores and pools, and it is refused beside a drill's run of the same kind.

    Raises:
        WebserverError: a schedule is not stopped, or not started again. The message has its name.
    """
    selector = _make_selector(webserver, PATIENCE)
    found = webserver.query(SCHEDULES, selector=selector)["schedulesOrError"]
    if found["__typename"] != "Schedules":
        raise WebserverError(f"{webserver.url} can't list its schedules: {found.get('message', found['__typename'])}")
    running = [each for each in found["results"] if each["scheduleState"]["status"] == "RUNNING"]
    with ExitStack() as stack:  # one that is not started again does not keep the others from it
        for each in running:
            _change(webserver, each["name"], "STOPPED", STOP, id=each["scheduleState"]["id"])
            stack.callback(_start, webserver, each["name"])
        yield [each["name"] for each in running]


def _start(webserver: Webserver, name: str) -> None:
    selector = {**_make_selector(webserver, PATIENCE), "scheduleName": name}
    _change(webserver, name, "RUNNING", START, selector=selector)


def _change(webserver: Webserver, name: str, status: str, operation: str, **variables: Any) -> None:
    (answer,) = webserver.query(operation, **variables).values()
    if answer.get("scheduleState", {}).get("status") != status:
        reason = answer.get("message") or answer["__typename"]
        raise WebserverError(f"{webserver.url} did not set schedule {name} to {status}: {reason}")


def _make_selector(webserver: Webserver, patience: float) -> dict[str, str]:
    return {"repositoryLocationName": webserver.wait_for_location(patience), "repositoryName": REPOSITORY}
