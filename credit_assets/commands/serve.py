"""The Dagster UI of one machine, with its daemon."""

import os
import signal
import socket
import subprocess
import sys

HOST, PORT = "127.0.0.1", 3000


def url(port: int) -> str:
    """What a browser on this machine takes."""
    return f"http://localhost:{port}"


def check_port(port: int) -> None:
    """Looks before anything starts: the webserver finds out late, when there is a second daemon on the same storage.

    Raises:
        OSError: another program listens there, or we may not.
    """
    with socket.socket() as probe:
        # As the webserver does: what is left of the last UI's connections keeps nobody from listening.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            why = f"port {port} can't be had ({error.strerror})"
        except OverflowError:
            why = f"there is no port {port}"
        else:
            return
    raise OSError(f"{why}: stop what listens there, or choose another: --port 3001, with make PORT=3001")


def serve(port: int) -> int:
    """Serves the UI and runs the daemon until it is stopped; returns the exit code."""
    address = url(port)
    print(f"the UI comes up at {address}; stop it with Ctrl-C", flush=True)
    os.environ.setdefault("DAGSTER_UI_URL", address)
    os.environ.setdefault("DAGSTER_WEBSERVER_URL", address)
    command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-h", HOST, "-p", str(port)]
    # A session of its own: Ctrl-C reaches this process only, which then ends the other once and waits for its clean-up.
    with subprocess.Popen(command, start_new_session=True) as served:
        try:
            return served.wait()
        except KeyboardInterrupt:
            served.terminate()
            return 0 if served.wait() in (0, -signal.SIGTERM) else 1
