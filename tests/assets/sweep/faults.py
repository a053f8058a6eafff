"""The faults of the sweep: what goes wrong in one attempt, and at which moment. Both are drawn from a seed.

The process is killed at any moment, or before or after one call to the store, to Dagster's database or for a connection
to the loans. Or such a call raises an error, before or after its work was done, as it does when a connection breaks.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from resources.services.database import APPLICATION_NAME

STORE, DATABASE, LOANS, ANY_MOMENT = "store", "database", "loans", "any moment"
KILL, ERROR = "kill", "error"


@dataclass(frozen=True)
class Fault:
    """What goes wrong in an attempt.

    Args:
        target: `STORE`, `DATABASE` or `LOANS`: the calls of which one goes wrong; or `ANY_MOMENT`.
        effect: `KILL`: the process dies. `ERROR`: the call raises what a broken connection raises.
        after_call: whether the call has done its work before that.
        at: number of the call, from 1; with `ANY_MOMENT` the seconds after the attempt's start.
    """

    target: str
    effect: str
    after_call: bool
    at: float


@dataclass(frozen=True)
class AttemptSize:
    """How many calls of each kind an undisturbed attempt makes, and how many seconds it takes."""

    store: int
    database: int
    loans: int
    seconds: float


def draw_fault(chance: random.Random, size: AttemptSize) -> Fault:
    """A fault somewhere in an attempt of this size."""
    targets = [ANY_MOMENT, ANY_MOMENT, STORE, STORE, STORE, DATABASE, DATABASE, DATABASE, LOANS]
    target = chance.choice(targets)
    if target == ANY_MOMENT:
        return Fault(target, KILL, False, chance.uniform(0, size.seconds))
    effect = chance.choice([KILL, ERROR])
    calls = {STORE: size.store, DATABASE: size.database, LOANS: size.loans}
    return Fault(target, effect, chance.random() < 0.5, chance.randint(1, calls[target]))


def install_fault(fault: Fault | None) -> Callable[[], Mapping[str, int]]:
    """Makes this process suffer the fault when its moment comes.

    Returns:
        A function that returns how many calls to each target were made until now.
    """
    if fault and fault.target == ANY_MOMENT:
        threading.Thread(target=lambda: (time.sleep(fault.at), kill_this_process()), daemon=True).start()
    intercept = {STORE: _intercept_store, DATABASE: _intercept_database, LOANS: _intercept_loans}
    counters = {
        target: start(fault if fault and fault.target == target else None) for target, start in intercept.items()
    }
    return lambda: {target: each.count for target, each in counters.items()}


def kill_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class CallCounter:
    """Counts the calls to one target, and makes one of them go wrong.

    Args:
        fault: None: every call goes through.
        error: makes the error that a broken connection raises.
    """

    def __init__(self, fault: Fault | None, error: Callable[[], Exception]) -> None:
        self.count, self._fault, self._error, self._lock = 0, fault, error, threading.Lock()

    def call(self, function: Callable[[], Any], can_fail: bool = True) -> Any:
        """Calls the function. A call that can't fail is killed instead."""
        with self._lock:
            self.count += 1
            fault = self._fault if self._fault and self._fault.at == self.count else None
        if fault is None:
            return function()
        if fault.after_call:
            function()
        if fault.effect == KILL or not can_fail:
            kill_this_process()
        raise self._error()


def _intercept_store(fault: Fault | None) -> CallCounter:
    import obstore
    from obstore.exceptions import GenericError

    counter = CallCounter(fault, lambda: GenericError("error sending request: the connection broke"))

    def intercepted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        # The client repeats what only reads, below this function: such a call never fails here.
        return lambda *given, **more: counter.call(lambda: function(*given, **more), can_fail=name == "put")

    for name in ("put", "get", "head", "list"):
        setattr(obstore, name, intercepted(name, getattr(obstore, name)))
    return counter


def _intercept_database(fault: Fault | None) -> CallCounter:
    import psycopg2
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    counter = CallCounter(fault, lambda: psycopg2.OperationalError("server closed the connection unexpectedly"))

    @event.listens_for(Engine, "do_execute")
    def execute(cursor: Any, statement: str, parameters: Any, _context: Any) -> bool:
        def function() -> None:
            cursor.execute(statement, parameters)

        try:
            counter.call(function)
        except psycopg2.OperationalError:
            cursor.connection.close()
            raise
        return True

    return counter


def _intercept_loans(fault: Fault | None) -> CallCounter:
    import psycopg2

    counter = CallCounter(fault, lambda: psycopg2.OperationalError("Connection refused"))
    connect = psycopg2.connect

    def intercepted(*given: Any, **more: Any) -> Any:
        def function() -> Any:
            return connect(*given, **more)

        return counter.call(function) if more.get("application_name") == APPLICATION_NAME else function()

    psycopg2.connect = intercepted
    return counter
