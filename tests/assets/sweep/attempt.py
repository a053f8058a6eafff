"""One attempt at a run, in a process of its own that was forked from one with all libraries imported."""

import os
import sys
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

import dagster as dg

from resources.history.run_groups import read_events
from resources.history.tags import PARENT
from tests.assets.sweep.faults import AttemptSize, Fault
from tests.assets.sweep.interception import install_fault
from tests.assets.sweep.kinds import Kind
from tests.support.jobs import reconstructable_job

CASE = "sweep/case"


def run_attempt(
    environment: Mapping[str, str], kind: Kind, tags: Mapping[str, str], fault: Fault | None, result: Connection
) -> None:
    """Runs the job, or continues the run that the tags name as parent.

    Args:
        environment: names the sandbox of the sweep.
        kind: names the job, and its config.
        tags: of the new run.
        fault: what goes wrong; None: nothing.
        result: gets the attempt's size and the names of the imported modules at its end.
    """
    os.environ.update(environment)
    count_calls, began = install_fault(fault), time.monotonic()
    with dg.DagsterInstance.get() as instance:
        parent = tags.get(PARENT)
        execute_attempt(instance, kind, tags, choose_steps(instance, kind, parent) if parent else None)
        result.send((AttemptSize(count_calls(), time.monotonic() - began), sorted(sys.modules)))


def execute_attempt(
    instance: dg.DagsterInstance, kind: Kind, tags: Mapping[str, str], options: dg.ReexecutionOptions | None
) -> None:
    """Executes one run in this process, whatever its end."""
    given: dict[str, Any] = {"reexecution_options": options} if options else {"run_config": kind.config}
    with dg.execute_job(
        reconstructable_job(kind.job), instance=instance, tags=dict(tags), raise_on_error=False, **given
    ):
        pass


def choose_steps(instance: dg.DagsterInstance, kind: Kind, parent: str) -> dg.ReexecutionOptions:
    """What a retry executes: what failed, or everything if all steps had ended, as the sensor `lost_retries` does."""
    ended = {each.step_key for each in read_events(instance, parent, {dg.DagsterEventType.STEP_SUCCESS})}
    return (
        dg.ReexecutionOptions(parent)
        if kind.last_step in ended
        else dg.ReexecutionOptions.from_failure(parent, instance)
    )
