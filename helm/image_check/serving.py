"""The code server, the webserver and the migration run as the chart starts them, on a Dagster home of their own."""

import json
import os
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory

# A build may share its cores, and the first time nothing has byte code.
PATIENCE = 300
QUERY = "{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError { __typename } } } } }"


def serve() -> None:
    """The webserver says that it has loaded the definitions from the code server, and shows its page.

    Raises:
        RuntimeError: it did not in PATIENCE seconds, or a program ended before.
    """
    with TemporaryDirectory() as home:
        Path(home, "dagster.yaml").write_text("telemetry: { enabled: false }")
        environment = os.environ | {"DAGSTER_HOME": home}
        subprocess.run(["dagster", "instance", "migrate"], env=environment, check=True, stdout=subprocess.DEVNULL)
        code, web = _free_port(), _free_port()
        code_server = f"dagster api grpc --module-name=credit_assets.definitions --host=127.0.0.1 --port={code}"
        webserver = f"dagster-webserver --host=127.0.0.1 --port={web} --grpc-host=127.0.0.1 --grpc-port={code}"
        started = [
            subprocess.Popen(command.split(), env=environment, stdout=subprocess.DEVNULL)
            for command in (code_server, webserver)
        ]
        try:
            _wait_for_definitions(web, started)
            with urllib.request.urlopen(f"http://127.0.0.1:{web}/locations") as page:
                assert b"<html" in page.read()
        finally:
            for program in started:
                program.terminate()
            for program in started:
                program.wait()


def _wait_for_definitions(port: int, programs: list[subprocess.Popen[bytes]]) -> None:
    address, body = f"http://127.0.0.1:{port}/graphql", json.dumps({"query": QUERY}).encode()
    end, answer = time.monotonic() + PATIENCE, "no answer"
    while "RepositoryLocation" not in answer:
        if time.monotonic() > end or any(program.poll() is not None for program in programs):
            raise RuntimeError(f"the webserver has no definitions: {answer}")
        time.sleep(0.5)
        asked = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(asked) as answered:
                answer = answered.read().decode()
        except OSError as error:
            answer = str(error)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
