"""Which artifacts stay whatever their age: what positions name, what is in use, and what either was made from.

Belongs here: reading positions, manifests and the newest materializations. Does not belong here: ages (`endings`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import dagster as dg

from credit_assets.promotion.provenance import link_sources
from credit_assets.promotion.table_pointer import POINTER, list_tables, open_pointer
from credit_assets.retention.stored.layout import Item, Kind
from resources.store.artifacts import ArtifactError, Committed, find_artifact
from resources.store.io_manager import PLACE
from resources.store.object_store import ObjectStore
from resources.store.pointers.positions import Position, Positions


@dataclass(frozen=True)
class Manifests:
    """The manifests of the store.

    Attributes:
        artifacts: those that can be read.
        unreadable: the places of the others; nothing is known of what lies there.
    """

    artifacts: Sequence[Committed]
    unreadable: frozenset[str]


def read_manifests(store: ObjectStore, items: Collection[Item]) -> Manifests:
    """Reads the manifests among these objects. One that does not belong to its place counts as unreadable.

    Raises:
        StoreError: the store can't be read.
    """
    artifacts, unreadable = list[Committed](), set[str]()
    for item in items:
        if item.kind is not Kind.MANIFEST:
            continue
        try:
            found = find_artifact(store, item.place)
        except ArtifactError:
            unreadable.add(item.place)
            continue
        if found and (found.manifest.asset, found.manifest.root_run) == (item.asset, item.owner):
            artifacts.append(found)
        elif found:
            unreadable.add(item.place)
    return Manifests(artifacts, frozenset(unreadable))


def read_promoted_places(store: ObjectStore) -> frozenset[str]:
    """The places that any position of any table names, also one that a later release would overlook.

    Raises:
        PointerError: a position is missing or was changed, so that nobody knows what it named.
        StoreError: the store can't be read.
    """
    shared = Positions(store, POINTER)
    positions: list[Position] = [each for number in shared.list_numbers() if (each := shared.find(number))]
    for table in sorted(list_tables(store) | {each.value["table"] for each in positions}):
        positions += open_pointer(store, table).history()
    return frozenset(part["place"] for each in positions for part in each.value["set"].values())


def read_newest_places(instance: dg.DagsterInstance, assets: Collection[str]) -> frozenset[str]:
    """The place of each asset's newest materialization, which is what a run that reads the asset loads."""
    found = set[str]()
    for asset in assets:
        event = instance.get_latest_materialization_event(dg.AssetKey(asset.split("/")))
        if event and event.asset_materialization and PLACE in event.asset_materialization.metadata:
            found.add(str(event.asset_materialization.metadata[PLACE].value))
    return frozenset(found)


def find_all_sources(artifacts: Sequence[Committed], places: Collection[str]) -> frozenset[str]:
    """These places, and those of everything that their artifacts were made from, directly or not."""
    sources, chosen, more = link_sources(artifacts), set(places), set(places)
    while more:
        more = {each.place for place in more for each in sources.get(place, [])} - chosen
        chosen |= more
    return frozenset(chosen)
