"""Drill 1, in figures: what an undisturbed run costs from the request to its end, and what an idle release costs.

Times are recorded and have no limit here, because they depend on the machine. Connections and memory depend on the
platform, and have limits.
"""

import json
import time
from datetime import datetime
from typing import Any

import pytest

from resources.services.webserver import Webserver
from tests.drills.support.cluster import RELEASE, kubectl, list_pods, upgrade_release

CONTROL_PLANE = "app.kubernetes.io/component in (webserver, webserver-read-only, daemon, code-server)"
ENDED = {"Succeeded", "Failed"}
SESSIONS = "SELECT sessions FROM pg_stat_database WHERE datname = current_database()"


@pytest.fixture(scope="module", params=["in_process", "k8s_job"])
def executor(request, address):
    """The release with a whole run in one pod, and with a pod for each step. One run has opened what is kept open."""
    with upgrade_release("--set", f"executor={request.param}"):
        webserver = Webserver(address)
        webserver.wait_for_location(120)
        assert webserver.wait_for_run(webserver.launch("refresh"), 300) == "SUCCESS"
        yield request.param


def test_a_run_opens_few_connections_and_takes_as_long_as_is_recorded(platform, executor, drill_round) -> None:
    before = int(platform.run_sql(SESSIONS, "dagster"))
    run = platform.launch("refresh")
    assert platform.webserver.wait_for_run(run, 300) == "SUCCESS"
    time.sleep(2)  # PostgreSQL counts a connection when it ends
    opened = int(platform.run_sql(SESSIONS, "dagster")) - before - 1
    assert 0 < opened <= 20, f"a run opened {opened} connections"
    platform.wait_until("its pods have ended", lambda: read_phases(run) <= ENDED, 30)
    assert read_phases(run) == {"Succeeded"}, "a pod of a run that ended well counts as failed"
    requested = platform.webserver.read_run(run)["creationTime"]
    (first,) = platform.read_step_starts(run, "loan_dataset")
    (end,) = platform.read_events(run, "RunSuccessEvent")
    (launched,) = platform.read_events(run, "RunStartingEvent")
    (process,) = platform.read_events(run, "RunStartEvent")
    platform.record(
        fault=f"nothing, executor={executor}",
        request_to_launch=round(launched["at"] - requested, 2),
        request_to_container=round(read_container_start(platform.find_pod(run)) - requested, 2),
        request_to_run_start=round(process["at"] - requested, 2),
        request_to_first_step=round(first - requested, 2),
        request_to_success=round(end["at"] - requested, 2),
        connections=opened,
        **platform.count_repetitions(run),
    )


def test_the_control_plane_stands_by_in_little_memory_and_leaves_the_processor_to_runs(platform) -> None:
    before = measure_usage()
    time.sleep(30)
    after = measure_usage()
    parts = {name.rsplit("-", 2)[0] for name in after}
    assert {f"{RELEASE}-webserver", f"{RELEASE}-daemon", f"{RELEASE}-code-server"} <= parts
    resident = sum(memory for memory, _ in after.values()) / 2**20
    cores = sum(after[pod][1] - before[pod][1] for pod in after) / 30
    assert resident < 1.2 * 1024, f"{resident:.0f} MiB: {after}"
    platform.record(fault="control plane idle", resident_mib=round(resident), cores=round(cores, 2))


def read_container_start(pod: dict[str, Any]) -> float:
    """When the container of a pod that has ended was started, in Unix seconds. Kubernetes cuts off fractions."""
    (container,) = pod["status"]["containerStatuses"]
    return datetime.fromisoformat(container["state"]["terminated"]["startedAt"]).timestamp()


def read_phases(run: str) -> set[str]:
    """The phases of the pods of a run and of its steps."""
    return {pod["status"]["phase"] for pod in list_pods(f"dagster/run-id={run}")}


def measure_usage() -> dict[str, tuple[float, float]]:
    """Resident memory in bytes, and processor seconds since the start, of each pod of the control plane."""
    usage = {}
    for pod in list_pods(f"app.kubernetes.io/instance={RELEASE},{CONTROL_PLANE}"):
        node, name = pod["spec"]["nodeName"], pod["metadata"]["name"]
        summary = json.loads(kubectl("get", "--raw", f"/api/v1/nodes/{node}/proxy/stats/summary"))
        (statistics,) = [each for each in summary["pods"] if each["podRef"]["uid"] == pod["metadata"]["uid"]]
        (container,) = statistics["containers"]
        usage[name] = (container["memory"]["rssBytes"], container["cpu"]["usageCoreNanoSeconds"] / 1e9)
    return usage
