"""A stopwatch for one process: every moment is charged to exactly one part, so that the parts add up to the whole.

Parts nest: while an inner one runs, the outer one stands still. What is measured is wrapped from outside; the code that
is measured knows nothing of it.
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
    """Seconds by step and part. Counts in the thread that made it; what others do meanwhile is charged to its part.

    Args:
        started: since when, on the clock.
        part: what the time is charged to while nothing else is named.
        clock: seconds, of any origin.
    """

    def __init__(self, started: float, part: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds: dict[tuple[str, str], float] = defaultdict(float)
        self.step = ""
        self._clock, self._last, self._parts, self._thread = clock, started, [part], threading.get_ident()

    def mark(self) -> None:
        """Charges the time since the last mark to the part that is on."""
        now = self._clock()
        self.seconds[self.step, self._parts[-1]] += now - self._last
        self._last = now

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Charges what happens inside to a part."""
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
        called = getattr(owner, name)

        @functools.wraps(called)
        def charged(*arguments: Any, **named: Any) -> Any:
            with self.part(part):
                return called(*arguments, **named)

        setattr(owner, name, charged)

    def wrap_manager(self, owner: Any, name: str, part: str) -> None:
        """Charges the way into and out of a context manager, and nothing in between."""
        made = getattr(owner, name)

        @contextmanager
        def charged(*arguments: Any) -> Iterator[Any]:
            manager: AbstractContextManager[Any] = made(*arguments)
            with self.part(part):
                entered = manager.__enter__()
            try:
                yield entered
            finally:
                with self.part(part):
                    manager.__exit__(None, None, None)

        setattr(owner, name, charged)

    def wrap_collections(self, part: str) -> None:
        """Charges what Python's garbage collection takes, whatever it interrupts."""
        gc.callbacks.append(lambda phase, _: self._enter(part) if phase == "start" else self._leave())

    def wrap_imports(self, part_of: Callable[[str], str]) -> None:
        """Charges imports, wherever they stand, to the part of the outermost module's top-level package."""
        builtins.__import__ = self._charged_import(builtins.__import__, part_of)
        importlib.import_module = self._charged_import(importlib.import_module, part_of)

    def _charged_import(self, load: Callable[..., Any], part_of: Callable[[str], str]) -> Callable[..., Any]:
        parts = self._parts

        def charged(name: str, *arguments: Any, **named: Any) -> Any:
            if parts[-1].startswith("import") or threading.get_ident() != self._thread:
                return load(name, *arguments, **named)
            with self.part(part_of(name.partition(".")[0])):
                return load(name, *arguments, **named)

        return charged
