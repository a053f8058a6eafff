"""One attempt at a run, in a process of its own that was forked from one with all libraries imported."""

import os
import sys
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection

import dagster as dg

from resources.history.tags import PARENT
from tests.assets.sweep.faults import AttemptSize, Fault, install_fault
from tests.support.jobs import reconstructable_job

CASE = "sweep/case"
# Quick, and still several blocks of trees.
CONFIG = {"ops": {"training": {"config": {"n_estimators": 24, "max_depth": 5}}}}


def run_attempt(
    environment: Mapping[str, str], tags: Mapping[str, str], fault: Fault | None, result: Connection
) -> None:
    """Runs the job, or continues the run that the tags name as parent.

    Args:
        environment: names the sandbox of the sweep.
        tags: of the new run.
        fault: what goes wrong; None: nothing.
        result: gets the attempt's size and the names of the imported modules at its end.
    """
    os.environ.update(environment)
    count_calls, began = install_fault(fault), time.monotonic()
    with dg.DagsterInstance.get() as instance:
        parent = tags.get(PARENT)
        options = dg.ReexecutionOptions.from_failure(parent, instance) if parent else None
        with dg.execute_job(
            reconstructable_job(),
            instance=instance,
            run_config=None if options else CONFIG,
            reexecution_options=options,
            tags=dict(tags),
            raise_on_error=False,
        ):
            size = AttemptSize(**count_calls(), seconds=time.monotonic() - began)
            result.send((size, sorted(sys.modules)))
