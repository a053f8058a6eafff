"""What was tried for a location that failed: each step with its time, its result, and where in the code it failed.

Belongs here: one step. Does not belong here: the text that a person reads (`log`).
"""

import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import PurePath

# Parts of a path before a module of a library.
LIBRARIES = ("site-packages", "dist-packages")


@dataclass
class Step:
    """One thing that was tried.

    Attributes:
        what: for people.
        result: for people; it never quotes a row.
        began: Unix time.
        seconds: how long it took.
        places: if it failed, the classes of its errors, each with the places that it went through, the innermost last.
    """

    what: str
    result: str = "done"
    began: float = field(default_factory=time.time)
    seconds: float = 0.0
    places: list[str] = field(default_factory=list)

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Measures the step. An error is noted by its class and its places, and is raised further."""
        started = time.monotonic()
        try:
            yield
        except Exception as error:
            self.result, self.places = f"failed with {type(error).__name__}", list_places(error)
            raise
        finally:
            self.seconds = time.monotonic() - started

    def fail_for_location(self, cause: str) -> "Step":
        """The same step for a location that failed in it, while the step itself succeeded for others.

        Args:
            cause: of the failure, which quotes no row.
        """
        return replace(self, result=f"failed for this location: {cause}")


def list_places(error: BaseException) -> list[str]:
    """The classes and places of an error and of those that it came from, the first one last; never their messages."""
    lines = list[str]()
    followed = list[BaseException]()
    current: BaseException | None = error
    while current is not None and current not in followed:
        lines.append(f"{type(current).__module__}.{type(current).__qualname__}")
        frames = traceback.extract_tb(current.__traceback__)
        lines += [f"  {shorten_path(frame.filename)}, line {frame.lineno}, in {frame.name}" for frame in frames]
        followed.append(current)
        current = current.__cause__ or current.__context__
    return lines


def shorten_path(path: str) -> str:
    """The path of a module without the folders of this machine."""
    parts = PurePath(path).parts
    for library in LIBRARIES:
        if library in parts:
            return "/".join(parts[parts.index(library) + 1 :])
    return "/".join(parts[-3:])
