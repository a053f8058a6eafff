"""Runs the processes of a benchmark: fresh, in turns, and with what each cost.

The process that starts them stays small and imports no library: Linux counts the peak of a parent into that of its
children, so that a child that stayed below can't be told.
"""

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

REPOSITORY = Path(__file__).parents[2]
DATABASE, STARTED = "LOANS_DATABASE_URL", "BENCH_STARTED"
# The platform takes what is set from outside: a benchmark must find nobody's database, store or instance there.
NOT_PASSED_ON = ("ALERT_", "CREDIT_", "DAGSTER_", "LOANS_", "MAKE", "MFLAGS", "PYTHONDONTWRITEBYTECODE")


class BenchError(Exception):
    """A run failed, or two results that must agree differ."""


@dataclass(frozen=True)
class Ran:
    """One process.

    Args:
        process: wall-clock seconds from its start to its end.
        peak: greatest resident memory, bytes; NaN if it did not reach that of this process.
        said: its last line, as JSON.
    """

    process: float
    peak: float
    said: Mapping[str, float | str]


def run(command: Sequence[str | Path], environment: Mapping[str, str] | None = None, folder: Path = REPOSITORY) -> Ran:
    """Runs one process to its end.

    Args:
        environment: variables to set beside those of this process that are no settings of the platform.

    Raises:
        BenchError: it failed; with the end of what it printed.
    """
    passed_on = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        started = time.monotonic()
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            cwd=folder,
            env=passed_on | dict(environment or {}) | {STARTED: repr(started)},
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        lines = output.read().splitlines()
        if child.returncode:
            printed = "\n".join([*lines, *errors.read().splitlines()][-20:])
            raise BenchError(f"{shown(command)} ended with exit code {child.returncode}:\n{printed}")
    said = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
    above_ours = usage.ru_maxrss > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    return Ran(seconds, usage.ru_maxrss * unit if above_ours else math.nan, said)


def in_turns(contenders: Mapping[str, Callable[[], Ran]], rounds: int) -> dict[str, list[Ran]]:
    """Runs every contender once a round, so that a slow minute of the machine is a slow minute for all of them."""
    results: dict[str, list[Ran]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name, contender in contenders.items():
            progress(f"round {number + 1} of {rounds}: {name}")
            results[name].append(contender())
    progress("")
    return results


def middle(results: Sequence[Ran], figure: Callable[[Ran], float]) -> float:
    """The median of one figure."""
    return median(figure(each) for each in results)


def median_run(results: Sequence[Ran]) -> Ran:
    """The run whose whole is the median, the faster of two: medians of its parts would not add up."""
    return sorted(results, key=lambda ran: ran.process)[(len(results) - 1) // 2]


def module(name: str, *arguments: str | Path) -> list[str]:
    """The command that runs a module with this interpreter."""
    return [sys.executable, "-m", name, *map(str, arguments)]


def shown(command: Sequence[str | Path]) -> str:
    """A command as one would type it in the repository."""
    return " ".join(str(part) for part in command).replace(sys.executable, "python")


def progress(text: str) -> None:
    """One line for a person who waits, written over by the next."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
