"""The Dagster UI of one machine, with the one daemon of its history."""

import fcntl
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from resources.deployment import UI_PORT, Deployment, local_address
from resources.errors import PlatformError

HOST = "127.0.0.1"


class UiError(PlatformError):
    """The UI can't be served: says why, and what to do."""


def check_port(port: int) -> None:
    """Checks before anything starts that the port is free, because the webserver finds out late.

    Raises:
        UiError: another program listens there, or we may not.
    """
    with socket.socket() as probe:
        # As the webserver does: connections of the last UI that still linger keep nobody from listening.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            why = error.strerror
        else:
            return
    raise UiError(
        f"port {port} can't be had ({why}): stop what listens there, or choose another: "
        f"--port {UI_PORT + 1}, with make PORT={UI_PORT + 1}"
    )


@contextmanager
def only_daemon(deployment: Deployment, address: str) -> Iterator[int]:
    """Holds the lock of a history, because two daemons on one history would launch things twice.

    Args:
        deployment: names the history and the folder of the lock's file.
        address: of the UI, for whoever comes second.

    Yields:
        The open lock file. A process that inherits it holds the lock too, so that a daemon whose parent was killed
        still keeps a second one out.

    Raises:
        UiError: another UI with its daemon serves this history.
    """
    history = hashlib.sha256(deployment.require("history_url").encode()).hexdigest()[:16]
    path = Path(deployment.require("dagster_home")) / f"ui-{history}.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            served = os.pread(handle, 200, 0).decode(errors="replace") or "another address"
            raise UiError(f"the UI of this history is at {served} already: use it, or stop it first") from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{address} (process {os.getpid()})".encode(), 0)
        yield handle
    finally:
        os.close(handle)


def serve(deployment: Deployment, port: int) -> int:
    """Serves the UI and runs the daemon until it is stopped; returns the exit code.

    Raises:
        UiError: another UI with its daemon serves this history.
    """
    address = local_address(port)
    with only_daemon(deployment, address) as lock:
        print("the UI starts; stop it with Ctrl-C", flush=True)
        start = [sys.executable, "-m", "resources.machine.end_with_parent", str(os.getpid())]
        command = [*start, "dagster", "dev", "-w", "workspace.yaml", "-h", HOST, "-p", str(port)]
        # A session of its own: Ctrl-C reaches this process only, which then ends the other once and waits for it.
        with subprocess.Popen(
            command, env=with_address(deployment, address).child_environment(), start_new_session=True, pass_fds=(lock,)
        ) as served:
            try:
                with announce(address):
                    return served.wait()
            except KeyboardInterrupt:
                served.terminate()
                return 0 if served.wait() in (0, -signal.SIGTERM) else 1


@contextmanager
def announce(address: str, pause: float = 0.5) -> Iterator[None]:
    """Prints the address of the UI once, as soon as its webserver answers, and never before.

    Args:
        address: of the UI.
        pause: seconds between two questions.
    """
    from resources.services.webserver import Webserver, WebserverError

    webserver, ended = Webserver(address, repeats=0), threading.Event()

    def watch() -> None:
        while not ended.wait(pause):
            try:
                webserver.query("{ version }")
            except WebserverError:
                continue
            if not ended.is_set():
                print(f"the UI is ready at {address}", flush=True)
            return

    # Nobody waits for it at the end: a question may take longer than Ctrl-C should.
    threading.Thread(target=watch, name="asks whether the UI is ready", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def serve_history(deployment: Deployment, port: int) -> int:
    """Serves a history, after it has freed the places that killed runs left in it; returns the exit code.

    Raises:
        UiError: another UI with its daemon serves this history.
    """
    import dagster as dg

    from credit_assets.commands.one_machine.local import fail_runs_of_killed_processes

    with dg.DagsterInstance.get() as instance:
        fail_runs_of_killed_processes(instance)
    return serve(deployment, port)


def with_address(deployment: Deployment, address: str) -> Deployment:
    """The deployment whose UI and webserver are at this address, unless others were set from outside."""
    changed = {
        name: address for name in ("ui_url", "webserver_url") if getattr(deployment, name) == getattr(Deployment, name)
    }
    return replace(deployment, **changed)
