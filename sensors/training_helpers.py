"""The sensor that starts helpers of a training whose run wants some (docs/kubernetes/operate.md).

Belongs here: when helpers are asked for. Does not belong here: what they do (`credit_assets.helping`).
"""

from collections.abc import Iterable, Iterator

import dagster as dg

from credit_assets.helping.helper_run import GROW, HELP_TRAINING
from credit_assets.helping.order import HELPERS, MOST_HELPERS, PLACE, count_helpers


def request_helpers(runs: Iterable[dg.DagsterRun]) -> Iterator[dg.RunRequest]:
    """The helpers of these runs, as far as their training has begun. Each is asked for once, whoever looks.

    Args:
        runs: under way, with the tag by which a run wants helpers.

    Raises:
        HelpError: a tag is no number of helpers.
    """
    for run in runs:
        if place := run.tags.get(PLACE):
            helpers = count_helpers(run.tags)
            for part in range(1, helpers + 1):
                config = {"place": place, "part": part, "parts": helpers + 1}
                yield dg.RunRequest(
                    run_key=f"{place} {part} of {helpers}", run_config={"ops": {GROW: {"config": config}}}
                )


@dg.sensor(
    job_name=HELP_TRAINING,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts helpers for each training whose run has the tag platform/helpers.",
)
def training_helpers(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Looks at the runs that work now and want helpers."""
    wanted = [str(number) for number in range(1, MOST_HELPERS + 1)]
    runs = context.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED], tags={HELPERS: wanted}))
    requests = list(request_helpers(runs))
    yield from requests or [dg.SkipReason("no training wants helpers")]
