"""Only one wave at a time: of two that run at once, the one that began later is refused.

Belongs here: which wave goes on. Does not belong here: that the schedule asks for no wave while one is under way
(`sensors`).
"""

import dagster as dg

from resources.errors import PlatformError
from resources.history.run_groups import UNFINISHED

# Tag of a run that scores a wave, with the table of loans as its value. A retry inherits it.
TAG = "platform/wave"


class WaveUnderWay(PlatformError):
    """Another wave is under way: names its run."""


class WaveEnded(PlatformError):
    """The wave that a run repeats has ended with success, so that nothing of it is left: says what to launch."""


def claim_wave(instance: dg.DagsterInstance, run: dg.DagsterRun, table: str) -> None:
    """Tags this run as a wave of a table, and refuses it if another wave is under way.

    A run tags itself first and looks then. So the later one of two runs always sees the other, also if it was
    requested earlier and waited in the queue. Two that tag themselves in the same moment are both refused.

    Raises:
        WaveUnderWay: a run of another wave has not ended.
    """
    instance.add_run_tags(run.run_id, {TAG: table})
    if other := find_wave_under_way(instance, table, except_root=find_root(run)):
        raise WaveUnderWay(f"the wave of run {other} is under way: wait until it has ended, or terminate it")


def find_wave_under_way(instance: dg.DagsterInstance, table: str, except_root: str | None = None) -> str | None:
    """Id of a run that scores a wave of this table and has not ended; None if there is none.

    Args:
        instance: where the runs are.
        table: of the loans.
        except_root: id of a root run that is left out, with all its retries.
    """
    runs = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED, tags={TAG: table}))
    return next((run.run_id for run in runs if find_root(run) != except_root), None)


def refuse_ended(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Refuses to repeat a wave that has ended with success. It would adopt every chunk, and end green without a score.

    Dagster retries no run that succeeded, so that only a person can have asked for it.

    Raises:
        WaveEnded: this run repeats a run that succeeded.
    """
    parent = instance.get_run_by_id(run.parent_run_id) if run.parent_run_id else None
    if parent and parent.is_success:
        raise WaveEnded(
            f"the wave of run {find_root(run)} has ended with success, and a re-execution of it scores nothing. Launch "
            "a new run instead: it reads the applications again, and has a plan of its own"
        )


def find_root(run: dg.DagsterRun) -> str:
    """Id of the run that was asked for; its retries have the same."""
    return run.root_run_id or run.run_id
