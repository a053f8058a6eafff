"""How a fault reaches its call: the client libraries of a process are wrapped, so that one call of it goes wrong.

Belongs here: which functions of a library are calls. Does not belong here: which call goes wrong (`faults`).
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from resources.services.database import APPLICATION_NAME
from tests.assets.sweep.faults import ANY_MOMENT, CALLS, COMMITS, DATABASE, KILL, LOANS, SCORES, STORE, TABLES, Fault


def install_fault(fault: Fault | None) -> Callable[[], Mapping[str, int]]:
    """Makes this process suffer the fault when its moment comes.

    Returns:
        A function that returns how many calls of each kind were made until now.
    """
    if fault and fault.target == ANY_MOMENT:
        threading.Thread(target=lambda: (time.sleep(fault.at), kill_this_process()), daemon=True).start()
    counters = {target: CallCounter(fault if fault and fault.target == target else None) for target in CALLS}
    _intercept_store(counters[STORE])
    _intercept_history(counters[DATABASE], counters[COMMITS])
    _intercept_tables(counters[LOANS], counters[TABLES], counters[SCORES])
    return lambda: {target: each.count for target, each in counters.items()}


def kill_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class CallCounter:
    """Counts the calls of one kind, and makes one of them go wrong.

    Args:
        fault: None: every call goes through.
    """

    def __init__(self, fault: Fault | None) -> None:
        self.count, self._fault, self._lock = 0, fault, threading.Lock()

    def call(self, function: Callable[[], Any], error: Exception | None) -> Any:
        """Calls the function, or raises the error that a broken connection raises.

        Args:
            function: the call.
            error: None: this call can't fail, and is killed instead.
        """
        with self._lock:
            self.count += 1
            fault = self._fault if self._fault and self._fault.at == self.count else None
        if fault is None:
            return function()
        if fault.after_call:
            function()
        if fault.effect == KILL or error is None:
            kill_this_process()
        raise error or AssertionError("the process was killed")


def _intercept_store(counter: CallCounter) -> None:
    import obstore
    from obstore.exceptions import GenericError

    def intercepted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        # The client repeats what only reads, below this function: such a call never fails here.
        error = GenericError("error sending request: the connection broke") if name == "put" else None
        return lambda *given, **more: counter.call(lambda: function(*given, **more), error)

    for name in ("put", "get", "head", "list"):
        setattr(obstore, name, intercepted(name, getattr(obstore, name)))


def _intercept_history(statements: CallCounter, commits: CallCounter) -> None:
    from sqlalchemy import event
    from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
    from sqlalchemy.engine import Engine

    @event.listens_for(Engine, "do_execute")
    def execute(cursor: Any, statement: str, parameters: Any, _context: Any) -> bool:
        _call_or_break(statements, lambda: cursor.execute(statement, parameters), cursor.connection)
        return True

    commit = PGDialect_psycopg2.do_commit

    def intercepted(dialect: Any, connection: Any) -> None:
        _call_or_break(commits, lambda: commit(dialect, connection), connection)

    setattr(PGDialect_psycopg2, "do_commit", intercepted)  # noqa: B010 the types of its parameters have other names


def _intercept_tables(loans: CallCounter, tables: CallCounter, scores: CallCounter) -> None:
    """Counts what the platform itself asks a database: connections, statements, COPY and commits."""
    import psycopg2
    from psycopg2 import extensions

    connect, scores_url = psycopg2.connect, os.environ["PLATFORM_SCORES_URL"]

    def intercepted(*given: Any, **more: Any) -> Any:
        if more.get("application_name") != APPLICATION_NAME:
            return connect(*given, **more)
        counter = scores if given[0] == scores_url else tables
        refused = psycopg2.OperationalError("Connection refused")

        class Cursor(extensions.cursor):
            def execute(self, query: Any, vars: Any = None) -> None:
                _call_or_break(counter, lambda: extensions.cursor.execute(self, query, vars), self.connection)

            def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
                copy = extensions.cursor.copy_expert
                _call_or_break(counter, lambda: copy(self, sql, file, size), self.connection)

        class Connection(extensions.connection):
            def commit(self) -> None:
                _call_or_break(counter, lambda: extensions.connection.commit(self), self)

        def opened() -> Any:
            return connect(*given, **more, connection_factory=Connection, cursor_factory=Cursor)

        if counter is scores:
            return scores.call(opened, refused)
        return loans.call(lambda: tables.call(opened, refused), refused)

    psycopg2.connect = intercepted


def _call_or_break(counter: CallCounter, function: Callable[[], Any], connection: Any) -> None:
    """Like `CallCounter.call`; a connection on which a call failed is gone."""
    import psycopg2

    try:
        counter.call(function, psycopg2.OperationalError("server closed the connection unexpectedly"))
    except psycopg2.OperationalError:
        connection.close()
        raise
