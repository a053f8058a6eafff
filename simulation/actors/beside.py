"""A second thread of a simulated process, which does one piece of work after another while the first one goes on.

Belongs here: what the platform's code gets in place of a thread pool. Does not belong here: threads as such (`loop`).
"""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from simulation.loop import Process

# How often a thread that waits looks whether the work is done, in seconds.
LOOK = 0.001


class BesideFuture(Future[Any]):
    """Work whose outcome is waited for by the clock of the world."""

    def __init__(self, process: Process) -> None:
        super().__init__()
        self._process = process

    def result(self, timeout: float | None = None) -> Any:
        """What the work returned, or raises what it raised."""
        self._wait()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """What the work raised, if it did."""
        self._wait()
        return super().exception(timeout)

    def _wait(self) -> None:
        while not self.done():
            self._process.loop.sleep(LOOK)


class BesideExecutor(Executor):
    """Does what it is given in a thread of its own. It is given nothing new before the former work is done.

    Args:
        process: it has the thread, and both die together.
    """

    def __init__(self, process: Process) -> None:
        self._process = process

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Starts a thread for the work."""
        future = BesideFuture(self._process)

        def work() -> None:
            try:
                future.set_result(fn(*args, **kwargs))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where the outcome is asked for
                future.set_exception(error)

        self._process.start(work)
        return future
