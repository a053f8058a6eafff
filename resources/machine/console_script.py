"""Starts a run's worker: `python -m resources.machine.console_script dagster api execute_run …`.

Imports make a million objects that stay. By default Python searches them for garbage after every 700 new objects. That
takes a sixth of the time until a run begins, or until its retry continues. Libraries that only color what a terminal
shows take time too.

Belongs here: how a console script is loaded and started. Does not belong here: what the script does.
"""

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import Any, cast

from resources.errors import PlatformError

# Python searches the youngest objects for garbage when there are so many more than after the last search.
GARBAGE_THRESHOLD = 50_000
# What mako (of alembic) and structlog (of Dagster) use if it is installed, to color errors on a terminal.
COLORS = ("pygments", "rich")


class NoConsoleScript(PlatformError):
    """No installed package has a console script of this name."""


def main() -> Any:
    """Runs the console script that the first argument names, with the arguments after it."""
    gc.set_threshold(GARBAGE_THRESHOLD)
    return load(*sys.argv[1:])()


def load(name: str, *arguments: str) -> Callable[[], Any]:
    """The function of a console script, which finds these arguments in `sys.argv`.

    Raises:
        NoConsoleScript: no installed package has one of this name.
    """
    for command in entry_points(group="console_scripts", name=name):
        sys.argv = [name, *arguments]
        with imports_not_searched(), colors_left_out():
            return command.load()
    raise NoConsoleScript(f"{name}: expected a console script of an installed package, as dagster is one")


@contextmanager
def imports_not_searched() -> Iterator[None]:
    """Inside this context Python collects no garbage. It never searches again what exists at the end.

    It is for imports at the start of a process: almost all objects that they make stay until its end.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def colors_left_out() -> Iterator[None]:
    """Inside this context `COLORS` count as not installed. At its end they can be imported again.

    It is for imports of libraries only: an asset may need `COLORS`.
    """
    modules = cast("dict[str, Any]", sys.modules)
    left_out = [name for name in COLORS if name not in modules]
    modules.update(dict.fromkeys(left_out))  # None: the import of this name is an error
    try:
        yield
    finally:
        for name in left_out:
            del modules[name]


if __name__ == "__main__":
    sys.exit(main())
