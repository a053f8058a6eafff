"""A stopwatch for one process: every moment is charged to exactly one part, so that the parts add up to the whole.

Parts nest: while an inner part runs, the outer part does not count. Functions are wrapped from outside, so the measured
code is not changed.
"""

import builtins
import functools
import gc
import importlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any


class Stopwatch:
    """Seconds by step and part. It counts in the thread that made it; time of other threads is charged to its part.

    Args:
        started: the time of the clock at which it starts.
        part: the part that time is charged to while no other part is named.
        clock: returns seconds, from any origin.
    """

    def __init__(self, started: float, part: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds: dict[tuple[str, str], float] = defaultdict(float)
        self.step = ""
        self._clock, self._last, self._parts, self._thread = clock, started, [part], threading.get_ident()

    def mark(self) -> None:
        """Charges the time since the last mark to the current part."""
        now = self._clock()
        self.seconds[self.step, self._parts[-1]] += now - self._last
        self._last = now

    @contextmanager
    def charge_to(self, name: str) -> Iterator[None]:
        """Charges the time inside this context to a part."""
        self._enter(name)
        try:
            yield
        finally:
            self._leave()

    def _enter(self, name: str) -> None:
        if threading.get_ident() == self._thread:
            self.mark()
            self._parts.append(name)

    def _leave(self) -> None:
        if threading.get_ident() == self._thread:
            self.mark()
            self._parts.pop()

    def wrap(self, owner: Any, name: str, part: str) -> None:
        """Charges the calls of a function or method; `owner` is the module or class in which callers find it."""
        function = getattr(owner, name)

        @functools.wraps(function)
        def call_charged(*arguments: Any, **keywords: Any) -> Any:
            with self.charge_to(part):
                return function(*arguments, **keywords)

        setattr(owner, name, call_charged)

    def wrap_manager(self, owner: Any, name: str, part: str) -> None:
        """Charges the time to enter and to leave a context manager, and not the time inside."""
        open_manager = getattr(owner, name)

        @contextmanager
        def call_charged(*arguments: Any) -> Iterator[Any]:
            manager: AbstractContextManager[Any] = open_manager(*arguments)
            with self.charge_to(part):
                entered = manager.__enter__()
            try:
                yield entered
            finally:
                with self.charge_to(part):
                    manager.__exit__(None, None, None)

        setattr(owner, name, call_charged)

    def wrap_collections(self, part: str) -> None:
        """Charges the time of Python's garbage collection, which may interrupt any part."""
        gc.callbacks.append(lambda phase, _: self._enter(part) if phase == "start" else self._leave())

    def wrap_imports(self, part_of: Callable[[str], str]) -> None:
        """Charges an import to the part of its top-level package, and imports inside it to the same part."""
        builtins.__import__ = self._charged_import(builtins.__import__, part_of)
        importlib.import_module = self._charged_import(importlib.import_module, part_of)

    def _charged_import(self, load: Callable[..., Any], part_of: Callable[[str], str]) -> Callable[..., Any]:
        parts = self._parts

        def call_charged(name: str, *arguments: Any, **keywords: Any) -> Any:
            if parts[-1].startswith("import") or threading.get_ident() != self._thread:
                return load(name, *arguments, **keywords)
            with self.charge_to(part_of(name.partition(".")[0])):
                return load(name, *arguments, **keywords)

        return call_charged
