"""Faults: how one attempt at a run is struck, drawn from a seed.

Killed at any instant, or before or after any call to the store or to Dagster's database, or a connection to the loans';
or one such call fails, with its work done or not done, as it does when a connection breaks.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from resources.services.database import CALLED

STORE, DATABASE, LOANS, INSTANT = "store", "database", "loans", "instant"


@dataclass(frozen=True)
class Fault:
    """Where and how an attempt is struck.

    Args:
        where: a call to the store, to the database or to the loans' one, or any instant.
        how: `killed`, or `broken`: the call raises what a broken connection raises.
        done: whether the call's work was done when it struck.
        at: number of the call, from 1; or seconds.
    """

    where: str
    how: str
    done: bool
    at: float


@dataclass(frozen=True)
class Span:
    """How many calls an undisturbed attempt makes, and how many seconds it takes."""

    store: int
    database: int
    loans: int
    seconds: float


def draw(chance: random.Random, span: Span) -> Fault:
    """A fault somewhere in an attempt."""
    where = chance.choice([INSTANT, INSTANT, STORE, STORE, STORE, DATABASE, DATABASE, DATABASE, LOANS])
    if where == INSTANT:
        return Fault(where, "killed", False, chance.uniform(0, span.seconds))
    how = chance.choice(["killed", "broken"])
    calls = {STORE: span.store, DATABASE: span.database, LOANS: span.loans}
    return Fault(where, how, chance.random() < 0.5, chance.randint(1, calls[where]))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Calls:
    """Counts the calls of one kind, and strikes at one of them."""

    def __init__(self, fault: Fault | None, broken: Callable[[], Exception]) -> None:
        self.count, self._fault, self._broken, self._lock = 0, fault, broken, threading.Lock()

    def around(self, call: Callable[[], Any], breakable: bool = True) -> Any:
        with self._lock:
            self.count += 1
            fault = self._fault if self._fault and self._fault.at == self.count else None
        if fault is None:
            return call()
        if fault.done:
            call()
        if fault.how == "killed" or not breakable:
            die()
        raise self._broken()


def arm(fault: Fault | None) -> Callable[[], Mapping[str, int]]:
    """Strikes this process as the fault says; returns what counts its calls."""
    if fault and fault.where == INSTANT:
        threading.Thread(target=lambda: (time.sleep(fault.at), die()), daemon=True).start()
    strike = {STORE: _strike_store, DATABASE: _strike_database, LOANS: _strike_loans}
    calls = {where: arms(fault if fault and fault.where == where else None) for where, arms in strike.items()}
    return lambda: {where: each.count for where, each in calls.items()}


def _strike_store(fault: Fault | None) -> Calls:
    import obstore
    from obstore.exceptions import GenericError

    calls = Calls(fault, lambda: GenericError("error sending request: the connection broke"))

    def struck(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        # What only reads is repeated by the client itself, below this.
        return lambda *given, **more: calls.around(lambda: call(*given, **more), breakable=name == "put")

    for name in ("put", "get", "head", "list"):
        setattr(obstore, name, struck(name, getattr(obstore, name)))
    return calls


def _strike_database(fault: Fault | None) -> Calls:
    import psycopg2
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    calls = Calls(fault, lambda: psycopg2.OperationalError("server closed the connection unexpectedly"))

    @event.listens_for(Engine, "do_execute")
    def execute(cursor: Any, statement: str, parameters: Any, _context: Any) -> bool:
        def call() -> None:
            cursor.execute(statement, parameters)

        try:
            calls.around(call)
        except psycopg2.OperationalError:
            cursor.connection.close()
            raise
        return True

    return calls


def _strike_loans(fault: Fault | None) -> Calls:
    import psycopg2

    calls, connect = Calls(fault, lambda: psycopg2.OperationalError("Connection refused")), psycopg2.connect

    def struck(*given: Any, **more: Any) -> Any:
        def call() -> Any:
            return connect(*given, **more)

        return calls.around(call) if more.get("application_name") == CALLED else call()

    psycopg2.connect = struck
    return calls
