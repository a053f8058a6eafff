"""Drill 6. A node of the control plane loses power while a model is trained.

It is that of a webserver, of a code server, of the daemon that leads, and of PostgreSQL. The other replica answers at
once, the run under way is not lost, and loans that arrive in the dark are noticed once. Wherever the release puts its
pods, the first three choose a node without PostgreSQL, whose loss is a drill of its own.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.drills.support.claims import goes_on, is_unharmed
from tests.drills.support.cluster import NAMESPACE, RELEASE, component, kubectl, pods
from tests.drills.support.platform import Platform
from tests.drills.support.victim import LEADER, node_of, victim

CALLS = Path(__file__).parent / "calls.py"
# What is called 100 times in 75 s, and how often at most for each: gRPC's client looks for the other address itself.
TARGETS = {
    "webserver": (f"http://{RELEASE}-webserver/server_info", "10"),
    "code-server": (f"{RELEASE}-code-server:3030", "1"),
}
CURSOR = """mutation ($sensor: SensorSelector!, $cursor: String) {
  setSensorCursor(sensorSelector: $sensor, cursor: $cursor) { __typename } }"""
STATE = """query ($sensor: SensorSelector!) { sensorOrError(sensorSelector: $sensor) { ... on Sensor { sensorState {
  typeSpecificData { ... on SensorData { lastCursor } } } } } }"""
ARRIVE = """WITH newest AS (SELECT max(id) AS id FROM loans)
INSERT INTO loans SELECT (loan).* FROM (SELECT jsonb_populate_record(old, jsonb_build_object(
  'id', newest.id + {gap} + row_number() OVER (), 'created_at', clock_timestamp())) AS loan
  FROM loans AS old, newest LIMIT 1200) AS loans"""


@pytest.fixture
def loans(platform: Platform) -> Iterator[Any]:
    """Makes enough loans arrive for a refresh; takes them, and what the sensor remembers of them, away again."""
    location = platform.webserver.wait_for_location(60)
    sensor = {"repositoryLocationName": location, "repositoryName": "__repository__", "sensorName": "new_loans"}
    state = platform.webserver.query(STATE, sensor=sensor)["sensorOrError"]["sensorState"]
    newest = int(platform.sql("SELECT max(id) FROM loans", "lending"))
    # Another gap each time: the run key names the loan that was enough, and a key is asked for once.
    yield lambda: platform.sql(ARRIVE.format(gap=int(time.time()) % 1_000_000), "lending")
    platform.sql(f"DELETE FROM loans WHERE id > {newest}", "lending")
    platform.webserver.query(CURSOR, sensor=sensor, cursor=(state["typeSpecificData"] or {}).get("lastCursor"))
    assert platform.webserver.wait_for_run(platform.launch("refresh"), 600) == "SUCCESS"


@contextmanager
def dark(platform: Platform, node: str) -> Iterator[float]:
    """The node has no power while this lasts. Since when, in Unix seconds."""
    since = time.time()
    platform.nodes.kill(node)
    try:
        yield since
    finally:
        platform.nodes.start(node)


def asked_for(platform: Platform) -> set[str]:
    """The runs that the sensor asked for; a retry of one is not another."""
    runs = platform.tagged("dagster/sensor_name", "new_loans")
    return {run for run in runs if "dagster/parent_run_id" not in platform.webserver.read_run(run)["tags"]}


def called(target: str, tries: str, node: str) -> subprocess.Popen[str]:
    """Calls a target from a webserver's pod on any other node."""
    pod = next(pod for pod in pods(component("webserver")) if node_of(pod) != node)
    inside = ["kubectl", "-n", NAMESPACE, "exec", "-i", pod["metadata"]["name"], "--", "python", "-", target]
    with CALLS.open() as script:
        return subprocess.Popen([*inside, "75", "100", tries], stdin=script, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("part", [*TARGETS, "daemon"])
def test_the_loss_of_a_node_costs_neither_the_run_under_way_nor_a_tick(platform, undisturbed, loans, part) -> None:
    before = asked_for(platform)
    node = victim(platform, part)
    leader = platform.sql(LEADER, "dagster")
    run, began = platform.train_until_struck()
    with_it = node_of(platform.pod(run) or {}) == node
    calls = called(*TARGETS[part], node) if part in TARGETS else None
    with dark(platform, node) as struck:
        loans()
        if calls:
            found = json.loads(calls.communicate(timeout=180)[0])
            assert not found["failed"], found
            again = found["slowest"]
        else:
            platform.until("another leads", lambda: platform.sql(LEADER, "dagster") not in ("", leader), 60)
            again = round(time.time() - struck, 1)
        assert again < 30, "the other replica is there for nothing"
        platform.until("the new loans are noticed", lambda: asked_for(platform) - before, 240)
        noticed = time.time()
        fault = f"power loss of the node of a {part}"
        # Beside others: the run that the sensor asked for has newer loans, and may be promoted first.
        if with_it:
            goes_on(platform, undisturbed, fault, run, began, struck, beside_others=True, answers_again_after=again)
        else:
            is_unharmed(platform, undisturbed, fault, run, beside_others=True, answers_again_after=again)
    time.sleep(max(0.0, noticed + 90 - time.time()))  # the sensor has looked again
    (asked,) = asked_for(platform) - before
    platform.runs.append(asked)
    status = platform.webserver.wait_for_run(asked, 600)
    assert status == "SUCCESS" or platform.retry_of(asked), "the refresh that the sensor asked for was lost"


def test_a_run_waits_for_postgresql_whose_node_is_lost(platform, undisturbed) -> None:
    run, _ = platform.train_until_struck()
    (database,) = pods(component("postgresql"))
    assert node_of(platform.pod(run) or {}) != node_of(database), "runs and PostgreSQL share no node"
    with dark(platform, node_of(database)) as struck:
        kubectl("wait", "--for=condition=Ready=Unknown", f"node/{node_of(database)}", "--timeout=120s")
        # What a cloud does when the machine is gone: only then is it certain that nobody writes to the volume there.
        kubectl("delete", "node", node_of(database))
        kubectl("rollout", "status", f"statefulset/{RELEASE}-postgresql", "--timeout=300s")
        platform.webserver.wait_for_location(180)
        again = round(time.time() - struck, 1)
        is_unharmed(platform, undisturbed, "power loss of the node of PostgreSQL", run, answers_again_after=again)
