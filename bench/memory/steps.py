"""One refresh in this process, as in a run's pod, and the peak memory of each of its steps. Linux only."""

import tempfile
from pathlib import Path

import dagster as dg

from bench.timing.children import BenchError
from credit_assets.definitions import build_defs
from credit_assets.jobs import REFRESH
from resources.deployment import Deployment

# The peak of this process, and the file that makes Linux forget it.
STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
PEAKS: dict[str, float] = {}


@dg.success_hook
def note_peak(context: dg.HookContext) -> None:
    """Notes the peak of a step behind it."""
    PEAKS[context.op.name] = take_peak()


def take_peak() -> float:
    """The peak in MiB since the last call."""
    (line,) = (each for each in STATUS.read_text().splitlines() if each.startswith("VmHWM:"))
    FORGET.write_text("5")
    return int(line.split()[1]) / 1024


def make_refresh() -> dg.JobDefinition:
    """The job of a refresh, with a look at the memory behind each step."""
    return build_defs(Deployment.from_environment()).resolve_job_def(REFRESH).with_hooks({note_peak})


def refresh(trees: int) -> dict[str, float]:
    """Refreshes once, with so many trees, and returns the peak of each step in MiB.

    `execute_in_process` would keep what every step returns, which the process in a pod does not do.

    Raises:
        BenchError: the run failed.
    """
    with tempfile.TemporaryDirectory() as folder, dg.DagsterInstance.local_temp(folder) as instance:
        config = {"ops": {"training": {"config": {"n_estimators": trees}}}}
        with dg.execute_job(dg.reconstructable(make_refresh), instance, run_config=config) as result:
            if not result.success:
                raise BenchError("the refresh failed; its events say why")
    return PEAKS
