"""Standard output and errors that take every text, and that may be closed by whoever reads them.

Belongs here: the two streams of a process. Does not belong here: what is printed.
"""

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


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
    raw = _Patient(stream.fileno(), "w", closefd=False)
    buffered = io.BufferedWriter(raw)
    is_live = raw.isatty() or stream is sys.stderr
    return io.TextIOWrapper(buffered, stream.encoding, "backslashreplace", line_buffering=is_live)


class _Patient(io.FileIO):
    """A stream whose reader may leave: it is then written to nowhere."""

    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            _send_nowhere(self.fileno())
            return super().write(data)


def _send_nowhere(handle: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, handle)
    os.close(nowhere)
