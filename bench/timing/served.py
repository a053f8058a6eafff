"""Dagster's webserver, with or without its daemon, while something is measured there.

Belongs here: the processes. Does not belong here: what is asked of them.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bench.timing.children import REPOSITORY, BenchError, make_child_environment
from resources.services.webserver import Webserver, WebserverError

HOST, PATIENCE = "127.0.0.1", 180.0


@contextmanager
def serve_instance(environment: Mapping[str, str], *, with_daemon: bool) -> Iterator[Webserver]:
    """Starts a webserver and yields it as soon as its code location is loaded; ends it afterwards.

    Args:
        environment: variables of a platform.
        with_daemon: whether Dagster's daemon runs too, which starts the runs that are asked for.

    Raises:
        BenchError: it does not start. The message has the end of its output.
    """
    port = find_free_port()
    program = ["dagster", "dev"] if with_daemon else ["dagster-webserver"]
    start = [sys.executable, "-m", "resources.machine.end_with_parent", str(os.getpid())]
    command = [*start, *program, "-w", "workspace.yaml", "-h", HOST, "-p", str(port)]
    with tempfile.TemporaryFile("w+") as output:
        served = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=REPOSITORY,
            env=make_child_environment(environment),
            start_new_session=True,
        )
        webserver = Webserver(f"http://{HOST}:{port}")
        try:
            webserver.wait_for_location(PATIENCE)
            yield webserver
        except WebserverError as error:
            output.seek(0)
            raise BenchError(f"{error}:\n" + "\n".join(output.read().splitlines()[-20:])) from None
        finally:
            end(served)


def end(process: subprocess.Popen) -> None:
    """Asks a process to end, and ends its whole session if it does not."""
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def find_free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]
