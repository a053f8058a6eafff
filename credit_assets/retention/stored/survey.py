"""A survey of the store: which of its objects are old, and which stay, by the rule that each falls under.

It looks at the objects first and at runs and positions after them. So a run that begins in between, and a set that is
promoted in between, count as they are at the end.

Belongs here: the rules. Does not belong here: what a key means (`layout`), when runs are over (`endings`), and what
stays whatever its age (`kept_artifacts`).
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import dagster as dg

from credit_assets.retention.stored.endings import is_over, read_endings
from credit_assets.retention.stored.kept_artifacts import (
    find_all_sources,
    read_manifests,
    read_newest_places,
    read_promoted_places,
)
from credit_assets.retention.stored.layout import WAVE_ASSETS, Item, Kind, recognize
from credit_assets.settings.retention import Retention
from resources.store.object_store import ObjectStore


@dataclass(frozen=True)
class Sorted:
    """The objects that one rule is about."""

    goes: Sequence[Item]
    stays: Sequence[Item]


@dataclass(frozen=True)
class Survey:
    """Every object of the store, by the rule that it falls under."""

    waves: Sorted
    blocks: Sorted
    artifacts: Sorted
    unknown: Sequence[Item]


def survey_store(store: ObjectStore, instance: dg.DagsterInstance, retention: Retention, now: float) -> Survey:
    """Sorts every object of the store.

    Args:
        store: of the artifacts.
        instance: where the runs are.
        retention: the limits.
        now: Unix seconds.

    Raises:
        PointerError: a position is missing or was changed, so that nobody knows what it named.
        StoreError: the store can't be read.
    """
    items = [recognize(each) for each in store.list_objects()]
    owned = [each for each in items if each.owner]
    written = dict[str, float]()
    for each in owned:
        written[each.owner] = max(written.get(each.owner, 0.0), each.object.written_at.timestamp())
    endings = read_endings(instance, list(written))

    def is_old(item: Item, days: int) -> bool:
        return is_over(endings.get(item.owner), days, retention.artifact_days, written[item.owner], now)

    of_artifacts = [each for each in owned if each.asset not in WAVE_ASSETS]
    manifests = read_manifests(store, of_artifacts)
    committed = {each.place for each in manifests.artifacts}
    newest = read_newest_places(instance, {each.asset for each in owned})
    promoted = read_promoted_places(store)
    roots = {each.owner for each in owned if each.place in promoted}
    young = {each.place for each in of_artifacts if each.owner in roots or not is_old(each, retention.artifact_days)}
    kept = find_all_sources(manifests.artifacts, young | newest | promoted)
    known = [each for each in of_artifacts if each.place not in manifests.unreadable]
    return Survey(
        waves=_sort(
            [each for each in owned if each.asset in WAVE_ASSETS],
            lambda each: each.place not in newest and is_old(each, retention.wave_days),
        ),
        blocks=_sort(
            [each for each in known if each.kind is Kind.BLOCK],
            # What is committed is not made again, so that its blocks need not wait for a person.
            lambda each: is_old(each, 0 if each.place in committed else retention.block_days),
        ),
        artifacts=_sort([each for each in known if each.kind is not Kind.BLOCK], lambda each: each.place not in kept),
        unknown=[each for each in items if each.kind is Kind.UNKNOWN or each.place in manifests.unreadable],
    )


def _sort(items: Collection[Item], goes: Callable[[Item], bool]) -> Sorted:
    decided = [(each, goes(each)) for each in items]
    return Sorted(
        [each for each, is_going in decided if is_going], [each for each, is_going in decided if not is_going]
    )
