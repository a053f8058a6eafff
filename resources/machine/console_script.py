"""What a run's worker is started by, as `python -m resources.machine.console_script dagster api execute_run …`.

Imports make a million objects that stay. Python looks through them for garbage at every 700th by default, which is a
sixth of the time until a run begins, or goes on elsewhere.
"""

import gc
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

from resources.errors import PlatformError

# Objects more than before, at which the youngest are looked through.
GARBAGE = 50_000


class NoConsoleScript(PlatformError):
    """No installed package has a console script of this name."""


def main() -> Any:
    """Becomes the console script that the first argument names, with the arguments behind it."""
    gc.set_threshold(GARBAGE)
    return load(*sys.argv[1:])()


def load(name: str, *arguments: str) -> Callable[[], Any]:
    """The function of a console script, which finds these arguments in `sys.argv`.

    Raises:
        NoConsoleScript: there is none of this name.
    """
    for command in entry_points(group="console_scripts", name=name):
        sys.argv = [name, *arguments]
        return command.load()
    raise NoConsoleScript(f"{name}: expected a console script of an installed package, as dagster is one")


if __name__ == "__main__":
    sys.exit(main())
