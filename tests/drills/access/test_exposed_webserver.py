"""The webserver that anybody may reach must refuse whatever changes something, on the cluster and not by its name."""

import subprocess
import time

import pytest

from resources.services.webserver import Webserver, WebserverError
from tests.drills.support.cluster import NAMESPACE, RELEASE


@pytest.fixture
def exposed():
    """The read-only webserver, as the drills reach the other."""
    path = f"/api/v1/namespaces/{NAMESPACE}/services/{RELEASE}-webserver-read-only:80/proxy"
    command = ["kubectl", "proxy", "--port=0", f"--accept-paths=^{path}/"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:
        line = proxy.stdout.readline() if proxy.stdout else ""
        port = line.partition("127.0.0.1:")[2].strip()
        assert port, line
        yield Webserver(f"http://localhost:{port}{path}")
        proxy.terminate()


def test_it_shows_runs_and_starts_none(platform, exposed) -> None:
    exposed.wait_for_location(60)
    run = platform.launch("refresh")
    assert exposed.read_run(run)["status"]
    asked = time.time()
    with pytest.raises(WebserverError, match="UnauthorizedError"):
        exposed.launch("refresh", tags={"drill": f"refused {asked}"})
    assert not platform.tagged("drill", f"refused {asked}"), "refused, and started all the same"
    assert platform.webserver.wait_for_run(run, 300) == "SUCCESS"


def test_it_ends_no_run(platform, exposed) -> None:
    exposed.wait_for_location(60)
    run, _ = platform.train_until_struck()
    terminate = "mutation ($run: String!) { terminateRun(runId: $run) { __typename } }"
    assert exposed.query(terminate, run=run)["terminateRun"]["__typename"] != "TerminateRunSuccess"
    assert platform.webserver.wait_for_run(run, 600) == "SUCCESS"
