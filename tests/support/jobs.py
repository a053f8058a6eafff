"""Jobs that Dagster can load again, as `dg.execute_job` demands it of a retry, and one that is never executed."""

import os
from typing import Any

import dagster as dg

from credit_assets.definitions import build_defs
from credit_assets.jobs import REFRESH
from resources.deployment import Deployment


def reconstructable_job(name: str = REFRESH) -> Any:
    """A job of the deployment that the environment names now.

    Dagster keeps a loaded job as long as it is asked for with the same arguments. The environment is one of them here:
    a job that was kept would work in the store of an earlier test.
    """
    environment = {key: value for key, value in os.environ.items() if key.startswith(("PLATFORM_", "AWS_"))}
    return dg.build_reconstructable_job(__name__, load_job.__name__, (name,), environment)


def load_job(name: str, **_environment: str) -> dg.JobDefinition:
    return build_defs(Deployment.from_environment()).resolve_job_def(name)


@dg.op
def work() -> None:
    """A run needs a step; the runs of `wave` are never executed."""


@dg.job
def wave() -> None:
    """For runs whose events a test writes itself."""
    work()
