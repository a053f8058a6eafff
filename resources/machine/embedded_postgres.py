"""An embedded PostgreSQL 18 for one machine: durable, reached by a private socket only, and stopped by its last user.

Belongs here: starting, joining and stopping the server. Does not belong here: how its programs run
(`postgres_programs`).
"""

import fcntl
import hashlib
import logging
import os
import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resources.libpq import close_gaps, describe_variables
from resources.machine.postgres_programs import (
    LOG,
    PostgresError,
    find_account,
    find_programs,
    make_data_folder,
    make_socket_folder,
    read_end_of_log,
    run_program,
)

PATIENCE_SECONDS = 60

# An error, or the report of a crash, may quote a row. So the server logs neither; its clients receive both.
SETTINGS = """\
# Written again at every start; ALTER SYSTEM changes a setting for good.
listen_addresses = ''
port = 5432
unix_socket_directories = '{sockets}'
max_connections = 200
shared_buffers = 128MB
fsync = on
timezone = 'UTC'
log_timezone = 'UTC'
log_statement = none
log_min_messages = log
log_min_error_statement = panic
log_error_verbosity = terse
log_checkpoints = off
"""

# What variables of the shell demand of other servers does not fit a private socket.
PRIVATE = "sslmode=disable&gssencmode=disable&channel_binding=disable"

_log = logging.getLogger(__name__)


@contextmanager
def use_postgres(data: Path) -> Iterator["EmbeddedPostgres"]:
    """Starts the server of a data folder, or joins it if it runs; the last user stops it.

    A user is a process inside this context. A killed process no longer counts, and the next one joins its server. The
    data folder is made if it is missing. Lock files are beside it, and `server.log` is inside.

    Raises:
        PostgresError: the programs are missing, the folder is another user's, or the server doesn't start.
    """
    find_programs()
    server = EmbeddedPostgres(data.resolve())
    server.data.parent.mkdir(parents=True, exist_ok=True)
    with server._lock("users", fcntl.LOCK_SH) as users:
        server._join_or_start()
        try:
            yield server
        finally:
            # A process that comes now waits for the shared lock until the server has stopped, and starts it again.
            if _take_lock(users):
                server._stop()
            # Closing the file would not free the lock while a forked child of this process lives.
            fcntl.flock(users, fcntl.LOCK_UN)


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A running server.

    Args:
        data: its data folder, absolute.
    """

    data: Path

    @property
    def sockets(self) -> Path:
        """Its private folder. The path is short, because a socket's path has at most 107 bytes, and ignores TMPDIR."""
        name = f"postgres-{hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]}"
        return Path("/tmp", name)  # noqa: S108 - `make_socket_folder` sets its owner and mode

    def create_database(self, name: str) -> str:
        """Creates the database if it is missing, and returns its URL for libpq, psycopg2 and SQLAlchemy.

        Args:
            name: letters, digits and `_`, because SQLAlchemy does not decode a percent sign in the path of a URL.

        Raises:
            PostgresError: libpq refuses, because of a variable that it reads.
        """
        from psycopg2 import OperationalError, errors

        if not re.fullmatch(r"\w+", name, re.ASCII):
            raise ValueError(f"database {name!r}: expected a name of letters, digits and _")
        try:
            connection = self._connect()
        except OperationalError as error:
            said = " ".join(str(error).split())
            raise PostgresError(f"{self.data}: its server can't be used: {said}{describe_variables()}") from None
        with closing(connection), connection.cursor() as cursor:
            connection.autocommit = True
            with suppress(errors.DuplicateDatabase, errors.UniqueViolation):
                cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        return f"postgresql://postgres@/{name}?host={self.sockets}&port=5432&{PRIVATE}"

    def has_ended(self) -> bool:
        """Whether no process of the server is left. One that restarts after a crash has not ended."""
        with self._lock("server") as lock:
            return _take_lock(lock)

    def _connect(self) -> Any:
        import psycopg2

        url = f"postgresql://postgres@/postgres?host={self.sockets}&port=5432&connect_timeout=3&{PRIVATE}"
        return psycopg2.connect(url, **close_gaps(url, str(self.data)))

    @contextmanager
    def _lock(self, name: str, mode: int = fcntl.LOCK_UN) -> Iterator[int]:
        """Opens a lock file. The kernel frees the lock when the last process with the file open ends in any way."""
        path = self.data.with_name(f"{self.data.name}.{name}.lock")
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except PermissionError as error:
            raise PostgresError(f"{error}: run as the user who made {self.data}") from None
        try:
            fcntl.flock(handle, mode)
            yield handle
        finally:
            os.close(handle)

    def _join_or_start(self) -> None:
        import psycopg2

        make_socket_folder(self.sockets)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with suppress(psycopg2.OperationalError):
                return self._connect().close()
            # Every process of the server inherits this lock: if we get it, none of them is left.
            with self._lock("server") as lock:
                if _take_lock(lock):
                    return self._start(lock)
            if time.monotonic() > deadline:
                raise PostgresError(
                    f"{self.data}: its server runs but doesn't answer{describe_variables()}."
                    f"{read_end_of_log(self.data)}"
                )
            time.sleep(0.05)

    def _start(self, lock: int) -> None:
        make_data_folder(self.data, keep=(lock,))
        # A crash leaves these files. Their process number may belong to another process now, which would pass for a
        # server.
        for stale in (self.data / "postmaster.pid", *self.sockets.iterdir()):
            stale.unlink(missing_ok=True)
        settings = self.data / "postgresql.conf"
        settings.unlink(missing_ok=True)
        with settings.open("x") as file:
            os.fchown(file.fileno(), *find_account())
            file.write(SETTINGS.format(sockets=self.sockets))
        run_program(
            self.data, "pg_ctl", "start", "--wait", f"--timeout={PATIENCE_SECONDS}", f"--log={LOG}", keep=(lock,)
        )

    def _stop(self) -> None:
        with self._lock("server") as lock:
            # PostgreSQL 18.4 hangs in the first mode while it recovers from the death of one of its processes. After
            # the second mode, the next start has to recover.
            for mode in ("fast", "immediate"):
                if _take_lock(lock):
                    break
                try:
                    run_program(self.data, "pg_ctl", "stop", "--wait", f"--mode={mode}", "--timeout=20")
                    fcntl.flock(lock, fcntl.LOCK_EX)
                except PostgresError as error:
                    _log.warning("The server did not stop (%s): %s", mode, error)
        with suppress(OSError):
            self.sockets.rmdir()


def _take_lock(handle: int) -> bool:
    """Takes the lock for this process alone, if no other process holds it; returns whether it was taken."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
