"""A machine on a simulated clock, which is told to go or goes without a word, and a store that is reached from it."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from resources.store.object_store import ObjectStore


class MachineGone(Exception):
    """Power loss: nothing that was not in the store is left."""


class Stopped(Exception):
    """The step heeds SIGTERM, as Dagster's own handler has it do."""


@dataclass
class Machine:
    """Time passes only as work is done.

    Args:
        gone: seconds after its start at which it vanishes.
        notice: seconds before that at which SIGTERM is sent; 0: never.
    """

    gone: float
    notice: float = 0
    now: float = 0
    # When the training had last begun, or put something where it stays.
    kept: float | None = None
    told: float | None = None

    def clock(self) -> float:
        return self.now

    def spend(self, seconds: float) -> None:
        """Does work.

        Raises:
            Stopped: SIGTERM came meanwhile, and nobody holds it back.
            MachineGone: it vanished meanwhile.
        """
        done = self.now + seconds
        if self.notice and self.told is None and self.gone - self.notice <= done:
            self.now = self.told = max(self.now, self.gone - self.notice)
            signal.raise_signal(signal.SIGTERM)
        self.now = min(done, self.gone)
        if done >= self.gone:
            raise MachineGone

    @property
    def lost(self) -> float:
        """Seconds of work that are nowhere but on it."""
        return 0 if self.kept is None else self.now - self.kept

    @contextmanager
    def heeding_notice(self) -> Iterator[None]:
        """SIGTERM stops the step at once, unless somebody holds it back (`resources.store.blocks`)."""

        def stop(*_: object) -> None:
            if self.told is None:
                sys.exit("stopped by SIGTERM")  # sent by somebody else, and meant for the simulation
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
        self.machine.kept = self.machine.now

    def read(self, key: str) -> bytes:
        self.machine.spend(self.reading)
        self.machine.kept = self.machine.now
        return super().read(key)

    def list_keys(self, prefix: str = "") -> list[str]:
        self.machine.spend(self.reading)
        self.machine.kept = self.machine.now
        return super().list_keys(prefix)
