"""Only one wave at a time: of two that run at once, the older one goes on and the younger one is refused.

Belongs here: who goes on. Does not belong here: that the schedule asks for no wave while one is under way (`sensors`).
"""

import dagster as dg

from resources.errors import PlatformError
from resources.history.run_groups import UNFINISHED

# Tag of a run that scores a wave, with the table of loans as its value. A retry inherits it.
TAG = "platform/wave"


class WaveUnderWay(PlatformError):
    """Another wave is under way: names its run."""


def claim_wave(instance: dg.DagsterInstance, run: dg.DagsterRun, table: str) -> None:
    """Tags this run as a wave of a table, and refuses it if an older wave is under way.

    Both of two runs tag themselves first and look then, so at least one of them sees the other.

    Raises:
        WaveUnderWay: an older wave has not ended.
    """
    instance.add_run_tags(run.run_id, {TAG: table})
    records = instance.get_run_records(dg.RunsFilter(statuses=UNFINISHED, tags={TAG: table}))
    root = find_root(run)
    own = next(each for each in records if each.dagster_run.run_id == run.run_id)
    for other in records:
        is_older = (other.create_timestamp, other.dagster_run.run_id) < (own.create_timestamp, run.run_id)
        if find_root(other.dagster_run) != root and is_older:
            raise WaveUnderWay(
                f"the wave of run {other.dagster_run.run_id} is under way: wait until it has ended, or terminate it"
            )


def find_root(run: dg.DagsterRun) -> str:
    """Id of the run that was asked for; its retries have the same."""
    return run.root_run_id or run.run_id
