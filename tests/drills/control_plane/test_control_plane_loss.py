"""Drill 6. A node of the control plane loses power while a model is trained.

It is the node of a webserver, of a code server, of the leading daemon, or of PostgreSQL. The other replica answers at
once, the run under way is not lost, and loans that arrive meanwhile cause one refresh. The first three drills choose a
node without PostgreSQL, whose loss is a drill of its own.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from resources.services.webserver import REPOSITORY
from tests.drills.support.claims import assert_retried, assert_unharmed
from tests.drills.support.cluster import NAMESPACE, RELEASE, kubectl, list_pods, make_selector
from tests.drills.support.platform import Platform
from tests.drills.support.victim import LEADER, choose_victim, read_node

CALLS = Path(__file__).with_name("calls.py")
# The address that is called 100 times in 75 s, and the tries for each call. gRPC's client itself tries the other
# address.
TARGETS = {
    "webserver": (f"http://{RELEASE}-webserver/server_info", "10"),
    "code-server": (f"{RELEASE}-code-server:3030", "1"),
}
CURSOR = """mutation ($sensor: SensorSelector!, $cursor: String) {
  setSensorCursor(sensorSelector: $sensor, cursor: $cursor) { __typename } }"""
STATE = """query ($sensor: SensorSelector!) { sensorOrError(sensorSelector: $sensor) { ... on Sensor { sensorState {
  typeSpecificData { ... on SensorData { lastCursor } } ticks(limit: 5) { timestamp status } } } } }"""
ARRIVE = """WITH newest AS (SELECT max(id) AS id FROM loans)
INSERT INTO loans SELECT (loan).* FROM (SELECT jsonb_populate_record(old, jsonb_build_object(
  'id', newest.id + {gap} + row_number() OVER (), 'created_at', clock_timestamp())) AS loan
  FROM loans AS old, newest LIMIT 1200) AS loans"""


def select_sensor(platform: Platform) -> dict[str, str]:
    """The sensor `new_loans`, as GraphQL names it."""
    location = platform.webserver.wait_for_location(60)
    return {"repositoryLocationName": location, "repositoryName": REPOSITORY, "sensorName": "new_loans"}


def read_sensor(platform: Platform) -> dict[str, Any]:
    """The sensor's cursor, and its last ticks."""
    answer = platform.webserver.query(STATE, sensor=select_sensor(platform))
    return answer["sensorOrError"]["sensorState"]


def has_ticked(platform: Platform, since: float) -> bool:
    """Whether a tick of the sensor began after that time, in Unix seconds, and ended without an error."""
    ticks = read_sensor(platform)["ticks"]
    return any(each["timestamp"] > since and each["status"] in {"SKIPPED", "SUCCESS"} for each in ticks)


@pytest.fixture
def loans(platform: Platform) -> Iterator[Any]:
    """Makes enough loans arrive for a refresh. At the end it deletes them, and puts the sensor's cursor back."""
    sensor = select_sensor(platform)
    cursor = (read_sensor(platform)["typeSpecificData"] or {}).get("lastCursor")
    newest = int(platform.run_sql("SELECT max(id) FROM loans", "lending"))
    # Each time the gap is another, because the run key names a loan, and Dagster makes one run for a key.
    yield lambda: platform.run_sql(ARRIVE.format(gap=int(time.time()) % 1_000_000), "lending")
    platform.run_sql(f"DELETE FROM loans WHERE id > {newest}", "lending")
    platform.webserver.query(CURSOR, sensor=sensor, cursor=cursor)
    assert platform.webserver.wait_for_run(platform.launch("refresh"), 600) == "SUCCESS"


@contextmanager
def cut_power(platform: Platform, node: str) -> Iterator[float]:
    """Cuts the power of a node until the end; yields when, in Unix seconds."""
    since = time.time()
    platform.nodes.kill(node)
    try:
        yield since
    finally:
        platform.nodes.start(node)


def find_refreshes(platform: Platform) -> set[str]:
    """The runs that the sensor requested, without their retries."""
    runs = platform.find_runs("dagster/sensor_name", "new_loans")
    return {run for run in runs if "dagster/parent_run_id" not in platform.webserver.read_run(run)["tags"]}


def start_calls(target: str, tries: str, node: str) -> subprocess.Popen[str]:
    """Starts to call a target from a webserver's pod on another node."""
    pod = next(pod for pod in list_pods(make_selector("webserver")) if read_node(pod) != node)
    command = ["kubectl", "-n", NAMESPACE, "exec", "-i", pod["metadata"]["name"], "--", "python", "-", target]
    with CALLS.open() as script:
        return subprocess.Popen([*command, "75", "100", tries], stdin=script, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("part", [*TARGETS, "daemon"])
def test_the_loss_of_a_node_costs_neither_the_run_under_way_nor_a_tick(platform, expected_digests, loans, part) -> None:
    before = find_refreshes(platform)
    node = choose_victim(platform, part)
    leader = platform.run_sql(LEADER, "dagster")
    run, began = platform.train_for()
    is_on_node = read_node(platform.find_pod(run) or {}) == node
    calls = start_calls(*TARGETS[part], node) if part in TARGETS else None
    with cut_power(platform, node) as struck:
        loans()
        if calls:
            result = json.loads(calls.communicate(timeout=180)[0])
            assert not result["failed"], result
            again = result["slowest"]
        else:
            platform.wait_until("another leads", lambda: platform.run_sql(LEADER, "dagster") not in ("", leader), 60)
            again = round(time.time() - struck, 1)
        assert again < 30, "the other replica did not answer in time"
        platform.wait_until("the new loans are noticed", lambda: find_refreshes(platform) - before, 240)
        noticed = time.time()
        fault = f"power loss of the node of a {part}"
        # Beside others: the run that the sensor requested has newer loans, and may be promoted first.
        if is_on_node:
            assert_retried(
                platform, expected_digests, fault, run, began, struck, beside_others=True, answers_again_after=again
            )
        else:
            assert_unharmed(platform, expected_digests, fault, run, beside_others=True, answers_again_after=again)
    platform.wait_until("the sensor has ticked again", lambda: has_ticked(platform, noticed), 180)
    (refresh,) = find_refreshes(platform) - before
    platform.runs.append(refresh)
    status = platform.webserver.wait_for_run(refresh, 600)
    assert status == "SUCCESS" or platform.find_retry(refresh), "the refresh that the sensor requested was lost"


def test_a_run_waits_for_postgresql_whose_node_is_lost(platform, expected_digests) -> None:
    run, _ = platform.train_for()
    (database,) = list_pods(make_selector("postgresql"))
    assert read_node(platform.find_pod(run) or {}) != read_node(database), "runs and PostgreSQL share no node"
    with cut_power(platform, read_node(database)) as struck:
        kubectl("wait", "--for=condition=Ready=Unknown", f"node/{read_node(database)}", "--timeout=120s")
        # A cloud deletes the node when the machine is gone. Only then is it certain that nobody writes to its volume.
        kubectl("delete", "node", read_node(database))
        kubectl("rollout", "status", f"statefulset/{RELEASE}-postgresql", "--timeout=300s")
        platform.webserver.wait_for_location(180)
        again = round(time.time() - struck, 1)
        assert_unharmed(
            platform, expected_digests, "power loss of the node of PostgreSQL", run, answers_again_after=again
        )
