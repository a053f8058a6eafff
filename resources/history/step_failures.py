"""Whose fault a failure was: the step's own, or that of whoever took away its process, its database or its store."""

from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg

# Errors that are not the step's: it was stopped, or PostgreSQL or the store went away while they were asked. What was
# asked may have been done, so that only a retry of the run, which looks, can repeat it.
BROKEN = ("DagsterExecutionInterruptedError", "OperationalError", "InterfaceError", "DatabaseAway", "RequestLost")


def is_a_steps_own(entries: Iterable[dg.EventLogEntry]) -> bool:
    """Whether one of a run's steps failed by itself."""
    return not all(map(lost, step_failures(entries)))


def step_failures(entries: Iterable[dg.EventLogEntry]) -> list[str]:
    """What was wrong with the steps that failed: type and message of each, and of what caused it."""
    events = [entry.dagster_event for entry in entries]
    failed = [each for each in events if each and each.event_type is dg.DagsterEventType.STEP_FAILURE]
    errors = [each.step_failure_data.error for each in failed]
    return ["\n".join(causes(error)) for error in errors if error]


def causes(error: Any) -> Iterator[str]:
    """An error and what it came from, the outermost first."""
    while error:
        yield f"{error.cls_name}: {error.message}"
        error = error.cause


def lost(failure: str) -> bool:
    """Whether a step failed as its pod was stopped or is gone, or a connection broke in the middle of a statement."""
    return any(line.startswith(BROKEN) for line in failure.splitlines()) or "failed health check: " in failure
