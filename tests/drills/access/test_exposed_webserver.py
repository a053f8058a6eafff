"""The webserver that anybody may reach must refuse every change. A read-only name alone would protect nothing."""

import subprocess
import time

import pytest

from resources.services.webserver import Webserver, WebserverError
from tests.drills.support.cluster import NAMESPACE, RELEASE


@pytest.fixture
def exposed():
    """The read-only webserver, reached through the API server like the other one."""
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
    mark = f"refused {time.time()}"
    with pytest.raises(WebserverError, match="UnauthorizedError"):
        exposed.launch("refresh", tags={"drill": mark})
    assert not platform.find_runs("drill", mark), "the run was refused, and started"
    assert platform.webserver.wait_for_run(run, 300) == "SUCCESS"


def test_it_ends_no_run(platform, exposed) -> None:
    exposed.wait_for_location(60)
    run, _ = platform.train_for()
    terminate = "mutation ($run: String!) { terminateRun(runId: $run) { __typename } }"
    assert exposed.query(terminate, run=run)["terminateRun"]["__typename"] != "TerminateRunSuccess"
    assert platform.webserver.wait_for_run(run, 600) == "SUCCESS"
