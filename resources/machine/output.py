"""Standard output and errors that take every text, and that may be closed by whoever reads them.

Belongs here: the two streams of a process. Does not belong here: what is printed.
"""

import io
import os
import sys
from pathlib import Path
from typing import TextIO


def accept_all_output() -> None:
    """Makes both streams of this process take what a terminal can't show, and outlive their reader.

    A character that the encoding does not have is printed as its number, so that no output ends a run. `| head -1`
    closes the stream after one line: what comes after it is dropped, and the work goes on.
    """
    sys.stdout, sys.stderr = (_wrap(stream) for stream in (sys.stdout, sys.stderr))


def finish_output() -> str | None:
    """Writes the rest of standard output, before the process ends; why that can't be done, if so."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _send_nowhere(sys.stdout.fileno())  # Python writes the rest again, at its end, and would print a traceback
        return error.strerror
    return None


def _wrap(stream: TextIO | None) -> TextIO:
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    stream.flush()
    buffered = io.BufferedWriter(io.FileIO(stream.fileno(), "w", closefd=False))
    is_live = stream.isatty() or stream is sys.stderr
    return _Patient(buffered, stream.encoding, "backslashreplace", line_buffering=is_live)


class _Patient(io.TextIOWrapper):
    """A stream whose reader may leave: it is then written to nowhere.

    The layers below are Python's own. If one of them were ours, Ctrl-C could come between the system's write and its
    return, and what was written would be written again.
    """

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except BrokenPipeError:
            _send_nowhere(self.fileno())
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except BrokenPipeError:
            _send_nowhere(self.fileno())
            super().flush()


def _send_nowhere(handle: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, handle)
    os.close(nowhere)
