"""What must not stand in the way of Ctrl-C in `credit-platform run`: the writers of the log, and a store that is away.

Belongs here: how a run is kept stoppable. Does not belong here: the run itself (`run`), and what a signal does
(`main`).
"""

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import dagster as dg

from resources.store.opening import open_store

# The client begins no repetition after that. A request that has begun then may still take its own time to fail.
PATIENCE = timedelta(seconds=5)
# Seconds of silence before a person is told what is waited for.
SILENCE = 3.0


def keep_log_writers(instance: dg.DagsterInstance) -> None:
    """Keeps Ctrl-C from the processes that copy a run's log to the terminal; they end with the run.

    A terminal sends Ctrl-C to all processes of the command. Dagster's two watchers would print a traceback each, and
    its two `tail`s would not print what the run says last.

    Args:
        instance: the one that the run is executed with. Its other users are not changed.
    """
    manager: Any = instance.compute_log_manager
    capture = manager.capture_logs

    @contextmanager
    def capture_undisturbed(log_key: Sequence[str]) -> Iterator[Any]:
        with ExitStack() as stack:
            with children_without_ctrl_c():
                context = stack.enter_context(capture(log_key))
            yield context

    manager.capture_logs = capture_undisturbed


@contextmanager
def children_without_ctrl_c() -> Iterator[None]:
    """Processes that this thread starts meanwhile never see SIGINT: they inherit that it is blocked.

    This process loses none: one that arrives meanwhile counts at the end.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def look_at_store(uri: str, patience: timedelta = PATIENCE, silence: float = SILENCE) -> None:
    """Opens the store once, in another thread: the client of S3 obeys no signal while it waits for an answer.

    Args:
        uri: of the store, as `open_store` takes it.
        patience: how long a store that does not answer is asked again.
        silence: seconds until a line on standard error says what is waited for.

    Raises:
        StoreError: the store can't be used.
    """
    failed: list[Exception] = []

    def look() -> None:
        try:
            open_store(uri, patience=patience)
        except Exception as error:  # noqa: BLE001 - it is raised again below, in the thread that waits
            failed.append(error)

    looking = threading.Thread(target=look, name="looks at the store", daemon=True)
    looking.start()
    looking.join(silence)
    if looking.is_alive():
        print(f"waiting for the store {uri}", file=sys.stderr, flush=True)
        looking.join()
    if failed:
        raise failed[0]
