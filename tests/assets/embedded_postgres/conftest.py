"""A folder for a server's data, users of it in processes of their own, and two looks at it from outside."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

USER = """
import os, sys
from pathlib import Path
import psycopg2.errors, psycopg2.sql
from resources.machine.embedded_postgres import use_postgres
if len(sys.argv) > 2:
    os.setgroups([])
    os.setgid(int(sys.argv[3]))
    os.setuid(int(sys.argv[2]))
with use_postgres(Path(sys.argv[1])) as server:
    print(server.create_database("loans"), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that the server's user can be let into."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture
def user() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts users of a server in processes of their own; each prints its URL and leaves when its input ends."""
    with ExitStack() as users:

        def start(data: Path, *arguments: object, **environment: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-c", USER, str(data), *map(str, arguments)]
            environment = {**os.environ, **environment}
            process = subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            users.enter_context(process)
            users.callback(process.kill)
            return process

        yield start


@pytest.fixture
def query() -> Callable[[str, str], Any]:
    """Runs one statement in a connection of its own: the first value of its answer, if there is one."""

    def query(url: str, statement: str) -> Any:
        with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()[0][0] if cursor.description else None

    return query


@pytest.fixture
def postmaster() -> Callable[[Path], int]:
    """The process number of the server of a data folder."""

    def postmaster(data: Path) -> int:
        return int((data / "postmaster.pid").read_text().split()[0])

    return postmaster
