"""A lost pod that is taken for a step's own failure is never retried; bad rows taken for a lost pod always are."""

from types import SimpleNamespace
from typing import Any

import dagster as dg
import psycopg2
import pytest
import sqlalchemy.exc

from resources.history.step_failures import LOSSES, is_loss
from resources.services.database import DatabaseAway
from resources.store.object_store import RequestLost


def logged(name: str | None, message: str, cause: Any = None) -> Any:
    """An error as the event log keeps it."""
    return SimpleNamespace(cls_name=name, message=message, cause=cause)


BROKEN = logged("OperationalError", "psycopg2.OperationalError: server closed the connection unexpectedly")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (logged(None, "Step training failed health check: Discovered failed Kubernetes job dagster-step-1."), True),
        (logged("DagsterExecutionInterruptedError", ""), True),
        (logged("DagsterExecutionStepExecutionError", "Error occurred while executing op: no rows"), False),
        (logged("Failure", "3 of 7 checks failed"), False),
        (logged("DagsterError", "writing", cause=BROKEN), True),
        (logged("DagsterError", "writing", cause=logged("ValueError", "a row says OperationalError: no")), False),
        (logged("RequestLost", "store s3://models: can't create a manifest"), True),
        (logged("StoreError", "store s3://models: access denied"), False),
        (logged("DatabaseAway", "the database can't be used: Connection refused"), True),
        (logged("DatabaseError", "the database can't be used: FATAL: no password"), False),
        (logged("ProgrammingError", "a worker has no lease any more"), False),
    ],
)
def test_the_loss_of_a_pod_or_of_a_connection_is_not_a_step_s_own_failure(error: Any, expected: bool) -> None:
    assert is_loss(error) is expected


def test_every_class_that_is_known_by_its_name_has_that_name() -> None:
    classes = [
        dg.DagsterExecutionInterruptedError,
        psycopg2.OperationalError,
        psycopg2.InterfaceError,
        sqlalchemy.exc.OperationalError,
        sqlalchemy.exc.InterfaceError,
        DatabaseAway,
        RequestLost,
    ]
    assert {each.__name__ for each in classes} == LOSSES
