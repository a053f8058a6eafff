"""Which runs are attempts of one wave: the run that began it, its retries, and those of its other shards.

A re-execution of a run that succeeded begins a wave of its own, although Dagster calls both by one root run. Otherwise
it would adopt every chunk, and end green without having scored anything.

Belongs here: runs and their wave. Does not belong here: what an attempt does (`wave_run`).
"""

from collections.abc import Mapping

import dagster as dg

from resources.errors import PlatformError
from resources.history.tags import ROOT

# Tag of the runs that share a wave, each as a shard of it. A retry inherits it.
WAVE_ID = "platform/wave_id"


def find_first_attempt(
    instance: dg.DagsterInstance, run: dg.DagsterRun, known: Mapping[str, dg.DagsterRun] | None = None
) -> dg.DagsterRun:
    """The run that was asked for, and whose retry, or whose retry's retry, this run is; the run itself if it is none.

    Args:
        instance: where the runs are.
        run: any attempt.
        known: runs that were read before, by their id.
    """
    while run.parent_run_id:
        parent = (known or {}).get(run.parent_run_id) or instance.get_run_by_id(run.parent_run_id)
        if parent is None or parent.is_success:
            break
        run = parent
    return run


class LonelyShard(PlatformError):
    """A run that is a shard belongs to no wave: names the tag, and what to do."""


def refuse_lonely_shard(shards: int, tags: Mapping[str, str]) -> None:
    """Raises LonelyShard for a run that is one of several shards and has no tag that says of which wave.

    Args:
        shards: how many runs share the wave, by the config.
        tags: of its first attempt, because not every way to retry a run keeps its tags.
    """
    if shards > 1 and WAVE_ID not in tags:
        raise LonelyShard(
            f"shards is {shards}, and this run has no tag {WAVE_ID}, so that no other run could share its wave. Give "
            "all runs of the wave the same value of this tag, or set shards to 1"
        )


def find_wave(
    instance: dg.DagsterInstance, run: dg.DagsterRun, known: Mapping[str, dg.DagsterRun] | None = None
) -> str:
    """Id of the wave that a run scores: that of its first attempt, or the id that all shards have as a tag.

    A re-execution of a shard that succeeded has inherited the tag. It is a wave of its own all the same.

    Args:
        instance: where the runs are.
        run: any attempt.
        known: runs that were read before, by their id.
    """
    return name_wave(find_first_attempt(instance, run, known))


def name_wave(first: dg.DagsterRun) -> str:
    """Id of the wave of a first attempt, as `find_first_attempt` returns it."""
    return first.run_id if first.parent_run_id else first.tags.get(WAVE_ID, first.run_id)


def list_attempts(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[str]:
    """Ids of all attempts of the run that was asked for: of the same shard only, the run itself included."""
    if run.root_run_id is None:
        return [run.run_id]
    filters = (dg.RunsFilter(run_ids=[run.root_run_id]), dg.RunsFilter(tags={ROOT: run.root_run_id}))
    known = {each.run_id: each for wanted in filters for each in instance.get_runs(wanted)}
    wave = find_wave(instance, run, known)
    return [each.run_id for each in known.values() if find_wave(instance, each, known) == wave]
