"""Dagster's own webserver on this machine, in a process of its own."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from resources.services.webserver import Webserver

# Seconds until it has loaded its code location, on a busy machine.
PATIENCE = 120


@contextmanager
def serve_webserver(folder: Path, environment: Mapping[str, str], *location: str) -> Iterator[Webserver]:
    """Serves a code location until the end, and waits until it is loaded.

    Args:
        folder: the working directory.
        environment: variables beside those of this process; DAGSTER_HOME names the instance.
        location: the options of `dagster-webserver` that name the code location.
    """
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = str(free.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-m", "dagster_webserver", "--host", "127.0.0.1", "--port", port, *location],
        env={**os.environ, **environment},
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        started = Webserver(f"http://127.0.0.1:{port}")
        started.wait_for_location(PATIENCE)
        yield started
    finally:
        process.terminate()
        process.wait(30)
