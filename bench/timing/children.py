"""Runs the processes of a benchmark: each one new, in turns, and measured.

The process that starts them stays small and imports no library. Linux counts the peak memory of a parent into that of
its children, so the peak of a child that needs less than its parent is not known.
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
DATABASE, STARTED = "PLATFORM_DATABASE_URL", "BENCH_STARTED"
# The platform reads these variables: a benchmark must not find a person's database, store or instance in them.
NOT_PASSED_ON = ("ALERT_", "CREDIT_", "DAGSTER_", "LOANS_", "MAKE", "MFLAGS", "PLATFORM_", "PYTHONDONTWRITEBYTECODE")


class BenchError(Exception):
    """A run failed, or two results that must agree differ."""


@dataclass(frozen=True)
class ProcessResult:
    """The time and memory of one process, and its output.

    Args:
        seconds: wall-clock time from its start to its end.
        peak_bytes: greatest resident memory; NaN, for unknown, if this process has more.
        output: the last line that it printed, as JSON; empty if that is no JSON.
    """

    seconds: float
    peak_bytes: float
    output: Mapping[str, float | str]


def run(
    command: Sequence[str | Path], environment: Mapping[str, str] | None = None, folder: Path = REPOSITORY
) -> ProcessResult:
    """Runs one process to its end.

    Args:
        environment: variables to set, in addition to those of this process that are no settings of the platform.

    Raises:
        BenchError: it failed. The message has the end of its output.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        started = time.monotonic()
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            cwd=folder,
            env=make_child_environment(environment or {}) | {STARTED: repr(started)},
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        lines = output.read().splitlines()
        if child.returncode:
            printed = "\n".join([*lines, *errors.read().splitlines()][-20:])
            raise BenchError(f"{format_command(command)} ended with exit code {child.returncode}:\n{printed}")
    printed_json = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
    above_ours = usage.ru_maxrss > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    return ProcessResult(seconds, usage.ru_maxrss * unit if above_ours else math.nan, printed_json)


def make_child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """These variables, and those of this process that are no settings of the platform."""
    passed_on = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
    return passed_on | dict(environment)


def run_in_turns(contenders: Mapping[str, Callable[[], ProcessResult]], rounds: int) -> dict[str, list[ProcessResult]]:
    """Runs every contender once in each round, so that a slow minute of the machine slows all of them."""
    results: dict[str, list[ProcessResult]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name, contender in contenders.items():
            show_progress(f"round {number + 1} of {rounds}: {name}")
            results[name].append(contender())
    show_progress("")
    return results


def compute_median(results: Sequence[ProcessResult], figure: Callable[[ProcessResult], float]) -> float:
    """The median of one figure."""
    return median(figure(each) for each in results)


def find_median_run(results: Sequence[ProcessResult]) -> ProcessResult:
    """The run with the median time, the faster of two in the middle. Medians of single parts would not add up."""
    return sorted(results, key=lambda result: result.seconds)[(len(results) - 1) // 2]


def make_module_command(name: str, *arguments: str | int | Path) -> list[str]:
    """The command that runs a module with this interpreter."""
    return [sys.executable, "-m", name, *map(str, arguments)]


def format_command(command: Sequence[str | Path]) -> str:
    """The text of a command, for a person who types it in the repository."""
    return " ".join(str(part) for part in command).replace(sys.executable, "python")


def show_progress(text: str) -> None:
    """Prints one line for a person who waits; the next line replaces it."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
