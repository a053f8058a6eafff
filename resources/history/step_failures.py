"""Why a step failed: by its own fault, or because its process, its database or its store was taken away."""

from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg

from resources.error_texts import is_failed_health_check

# Classes of errors that are not the step's fault: somebody stopped it, or the connection to PostgreSQL or to the store
# broke. The event log keeps the name of a class and not the class. A broken request may have been carried out: only a
# retry of the run looks whether it was.
LOSSES = {
    "DagsterExecutionInterruptedError",  # dagster
    "OperationalError",  # psycopg2, sqlalchemy
    "InterfaceError",  # psycopg2, sqlalchemy
    "DatabaseAway",  # resources.services.database
    "RequestLost",  # resources.store.object_store
}


def has_own_failure(entries: Iterable[dg.EventLogEntry]) -> bool:
    """Whether one of a run's steps failed by its own fault."""
    return not all(map(is_loss, find_step_errors(entries)))


def find_step_errors(entries: Iterable[dg.EventLogEntry]) -> list[Any]:
    """The errors of the steps that failed, as the event log keeps them."""
    events = [entry.dagster_event for entry in entries if entry.dagster_event_type is dg.DagsterEventType.STEP_FAILURE]
    return [error for event in events if event and (error := event.step_failure_data.error)]


def is_loss(error: Any) -> bool:
    """Whether a step failed because its pod was stopped or is gone, or because a connection broke."""
    return any(each.cls_name in LOSSES or is_failed_health_check(each.message or "") for each in list_causes(error))


def list_causes(error: Any) -> Iterator[Any]:
    """An error and its causes, the outermost first."""
    while error:
        yield error
        error = error.cause
