"""Jobs whose failures make Dagster print what the tests beside this file read."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import dagster as dg

from resources.errors import PlatformError

# These classes have no public name (decision 0017).
k8s: Any = import_module("dagster_k8s.executor")


class LosesItsPod(k8s.StepHandler):
    """A pod for each step that is gone as soon as somebody looks."""

    @property
    def name(self) -> str:
        return "loses its pod"

    def launch_step(self, step_handler_context: Any) -> Iterator[dg.DagsterEvent]:
        return iter(())

    def check_step_health(self, step_handler_context: Any) -> Any:
        return k8s.CheckStepHealthResult.unhealthy(reason="its pod is gone")

    def terminate_step(self, step_handler_context: Any) -> Iterator[dg.DagsterEvent]:
        return iter(())


@dg.executor
def executor_that_loses_pods(_: dg.InitExecutorContext) -> Any:
    return k8s.StepDelegatingExecutor(
        LosesItsPod(), retries=k8s.RetryMode.DISABLED, sleep_seconds=0.05, check_step_health_interval_seconds=0
    )


@dg.op
def work() -> None: ...


@dg.op
def refuse() -> None:
    raise PlatformError("the table has no column age: add it")


@dg.job(executor_def=executor_that_loses_pods)
def losing() -> None:
    work()


@dg.job(executor_def=dg.in_process_executor)
def refusing() -> None:
    refuse()


@dg.job(executor_def=dg.in_process_executor)
def working() -> None:
    work()


definitions = dg.Definitions(jobs=[working])
