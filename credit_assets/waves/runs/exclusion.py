"""Only one wave at a time: of two that run at once, the one that began later is refused.

A selection of partitions counts as a wave. Dagster may make several runs of one, which have different locations.

Belongs here: which wave goes on. Does not belong here: that the schedule asks for no wave while one is under way
(`sensors`).
"""

import dagster as dg

from credit_assets.waves.runs.attempts import find_wave
from resources.errors import PlatformError
from resources.history.run_groups import UNFINISHED
from resources.history.tags import BACKFILL

# Tag of a run that scores a wave, with the table of loans as its value. A retry inherits it.
TAG = "platform/wave"


class WaveUnderWay(PlatformError):
    """Another wave is under way: names its run."""


def claim_wave(instance: dg.DagsterInstance, run: dg.DagsterRun, table: str) -> None:
    """Tags this run as a wave of a table, and refuses it if another wave is under way.

    A run tags itself first and looks then. So the later one of two runs always sees the other, also if it was
    requested earlier and waited in the queue. Two that tag themselves in the same moment are both refused.

    Raises:
        WaveUnderWay: a run of another wave has not ended.
    """
    instance.add_run_tags(run.run_id, {TAG: table})
    wave, backfill = find_wave(instance, run), run.tags.get(BACKFILL)
    if other := find_wave_under_way(instance, table, except_wave=wave, except_backfill=backfill):
        raise WaveUnderWay(f"the wave of run {other} is under way: wait until it has ended, or terminate it")


def find_wave_under_way(
    instance: dg.DagsterInstance, table: str, except_wave: str | None = None, except_backfill: str | None = None
) -> str | None:
    """Id of a run that scores a wave of this table and has not ended; None if there is none.

    Args:
        instance: where the runs are.
        table: of the loans.
        except_wave: id of a wave that is left out, with all its attempts.
        except_backfill: id of a backfill of Dagster whose runs are left out.
    """
    runs = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED, tags={TAG: table}))
    others = [run for run in runs if except_backfill is None or run.tags.get(BACKFILL) != except_backfill]
    return next((run.run_id for run in others if find_wave(instance, run) != except_wave), None)
