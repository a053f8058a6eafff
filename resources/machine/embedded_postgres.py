"""An embedded PostgreSQL 18 for one machine: durable, reached by a private socket only, and stopped by its last user.

What belongs here: starting, joining and stopping the server. How its programs run is `postgres_programs`'.
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

from resources.machine.postgres_programs import (
    LOG,
    PostgresError,
    account,
    end_of_log,
    find_programs,
    make_data_folder,
    make_socket_folder,
    run,
)

PATIENCE_SECONDS = 60

# An error, or the report of a crash, may quote the row it met, so neither is logged; clients are told all the same.
SETTINGS = """\
# Written anew at every start; ALTER SYSTEM changes a setting for good.
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

_log = logging.getLogger(__name__)


@contextmanager
def embedded_postgres(data: Path) -> Iterator["EmbeddedPostgres"]:
    """Starts the server of a data folder, or joins it if it runs; the last user stops it.

    A user is whoever is inside this context. A killed one no longer counts, and the next one joins what it left. The
    data folder is made if it is missing; lock files lie next to it, `server.log` inside.

    Raises:
        PostgresError: no programs, a folder of another user's, or a server that doesn't start.
    """
    find_programs()
    server = EmbeddedPostgres(data.resolve())
    server.data.parent.mkdir(parents=True, exist_ok=True)
    with server._lock("users", fcntl.LOCK_SH) as users:
        server._join_or_start()
        try:
            yield server
        finally:
            # Whoever comes now waits for the shared lock until the server is stopped, and then starts it again.
            if _locked(users):
                server._stop()
            # Closing would not free it while a forked child of this process lives.
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
        """Its private folder: short, as a socket's path has 107 bytes at most, and the same whatever TMPDIR says."""
        name = f"postgres-{hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]}"
        return Path("/tmp", name)  # noqa: S108 - its owner and mode are seen to

    def url(self, database: str) -> str:
        """Creates the database if it is missing, and returns its URL for libpq, psycopg2 and SQLAlchemy.

        Args:
            database: letters, digits and `_`; SQLAlchemy takes a percent sign in the path of a URL literally.
        """
        from psycopg2 import errors

        if not re.fullmatch(r"\w+", database, re.ASCII):
            raise ValueError(f"database {database!r}: expected a name of letters, digits and _")
        with closing(self._connect()) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            with suppress(errors.DuplicateDatabase, errors.UniqueViolation):
                cursor.execute(f'CREATE DATABASE "{database}" TEMPLATE template0')
        return f"postgresql://postgres@/{database}?host={self.sockets}&port=5432"

    def has_ended(self) -> bool:
        """Whether no process of the server is left. One that restarts after a crash has not ended."""
        with self._lock("server") as lock:
            return _locked(lock)

    def _connect(self) -> Any:
        import psycopg2

        return psycopg2.connect(f"host={self.sockets} port=5432 user=postgres dbname=postgres connect_timeout=3")

    @contextmanager
    def _lock(self, name: str, mode: int = fcntl.LOCK_UN) -> Iterator[int]:
        """Opens a lock file. The kernel frees its lock when the last process that has it open ends, however it ends."""
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
            # Every process of the server inherits this lock: whoever gets it knows that none of them is left.
            with self._lock("server") as lock:
                if _locked(lock):
                    return self._start(lock)
            if time.monotonic() > deadline:
                raise PostgresError(f"{self.data}: its server runs but doesn't answer.{end_of_log(self.data)}")
            time.sleep(0.05)

    def _start(self, lock: int) -> None:
        make_data_folder(self.data, keep=(lock,))
        # What a crash left: the process number in these files may by now be another's, which would pass for a server.
        for left in (self.data / "postmaster.pid", *self.sockets.iterdir()):
            left.unlink(missing_ok=True)
        settings = self.data / "postgresql.conf"
        settings.unlink(missing_ok=True)
        with settings.open("x") as file:
            os.fchown(file.fileno(), *account())
            file.write(SETTINGS.format(sockets=self.sockets))
        run(self.data, "pg_ctl", "start", "--wait", f"--timeout={PATIENCE_SECONDS}", f"--log={LOG}", keep=(lock,))

    def _stop(self) -> None:
        with self._lock("server") as lock:
            # The second try costs a recovery at the next start. PostgreSQL 18.4 hangs in the first one if it is just
            # recovering from the death of one of its processes.
            for mode in ("fast", "immediate"):
                if _locked(lock):
                    break
                try:
                    run(self.data, "pg_ctl", "stop", "--wait", f"--mode={mode}", "--timeout=20")
                    fcntl.flock(lock, fcntl.LOCK_EX)
                except PostgresError as error:
                    _log.warning("The server did not stop (%s): %s", mode, error)
        with suppress(OSError):
            self.sockets.rmdir()


def _locked(handle: int) -> bool:
    """Takes the lock for ourselves alone if nobody else holds it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
