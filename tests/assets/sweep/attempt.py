"""One attempt at a run, in a process of its own, forked from one that has imported everything already."""

import os
import sys
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection

import dagster as dg

from credit_assets.definitions import defs
from credit_assets.jobs import REFRESH
from resources.history.tags import PARENT
from tests.assets.sweep.faults import Fault, Span, arm

CASE = "sweep/case"
# Quick, and still several blocks of trees.
CONFIG = {"ops": {"training": {"config": {"n_estimators": 24, "max_depth": 5}}}}


def refresh_job() -> dg.JobDefinition:
    return defs.resolve_job_def(REFRESH)


def attempt(environment: Mapping[str, str], tags: Mapping[str, str], fault: Fault | None, told: Connection) -> None:
    """Runs the job, or goes on from the run that the tags name; at its end, tells its span and what it imported."""
    os.environ.update(environment)
    counted, began = arm(fault), time.monotonic()
    with dg.DagsterInstance.get() as instance:
        parent = tags.get(PARENT)
        again = dg.ReexecutionOptions.from_failure(parent, instance) if parent else None
        with dg.execute_job(
            dg.reconstructable(refresh_job),
            instance=instance,
            run_config=None if again else CONFIG,
            reexecution_options=again,
            tags=dict(tags),
            raise_on_error=False,
        ):
            told.send((Span(**counted(), seconds=time.monotonic() - began), sorted(sys.modules)))
