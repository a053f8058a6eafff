"""A machine with a simulated clock that is lost with or without notice, and a store that it can reach."""

import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resources.store.object_store import ObjectStore


class MachineLost(Exception):
    """Power loss: only what is in the store is left."""


class Stopped(Exception):
    """SIGTERM has ended the step, like Dagster's own handler."""


@dataclass
class Machine:
    """A machine whose time passes only while it works.

    Args:
        lost_at: when it loses power, in seconds after its start.
        notice: how many seconds before that SIGTERM is sent; 0 for never.
    """

    lost_at: float
    notice: float = 0
    now: float = 0
    # When the training began, or last saved something in the store.
    saved_at: float | None = None
    notified_at: float | None = None

    def read_clock(self) -> float:
        return self.now

    def spend(self, seconds: float) -> None:
        """Lets the machine work for some seconds.

        Raises:
            Stopped: SIGTERM came meanwhile, and no code delays it.
            MachineLost: the machine was lost meanwhile.
        """
        done = self.now + seconds
        if self.notice and self.notified_at is None and self.lost_at - self.notice <= done:
            self.now = self.notified_at = max(self.now, self.lost_at - self.notice)
            signal.raise_signal(signal.SIGTERM)
        self.now = min(done, self.lost_at)
        if done >= self.lost_at:
            raise MachineLost

    @property
    def unsaved_seconds(self) -> float:
        """Seconds of work that are on this machine only."""
        return 0 if self.saved_at is None else self.now - self.saved_at

    @contextmanager
    def stop_at_notice(self) -> Iterator[None]:
        """Lets SIGTERM stop the step at once, unless `resources.store.blocks` delays it."""

        def stop(*_: object) -> None:
            if self.notified_at is None:
                sys.exit("stopped by SIGTERM")  # it was sent to end the simulation
            raise Stopped

        before = signal.signal(signal.SIGTERM, stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)


@dataclass(frozen=True, kw_only=True)
class DistantStore(ObjectStore):
    """A store whose requests take time of the machine that makes them.

    Args:
        writing: seconds that creating an object takes.
        reading: seconds that reading one takes, or listing them.
    """

    machine: Machine
    writing: float
    reading: float

    def create(self, key: str, data: bytes | Path) -> None:
        self.machine.spend(self.writing)
        super().create(key, data)
        self.machine.saved_at = self.machine.now

    def read(self, key: str) -> bytes:
        self.machine.spend(self.reading)
        self.machine.saved_at = self.machine.now
        return super().read(key)

    def list_keys(self, prefix: str = "") -> list[str]:
        self.machine.spend(self.reading)
        self.machine.saved_at = self.machine.now
        return super().list_keys(prefix)


class InTurn(Executor):
    """Commits a block before the next one is made. The machine has one clock, so its work and its requests add up."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Does it at once; raises what it raises."""
        future = Future[Any]()
        future.set_result(fn(*args, **kwargs))
        return future
