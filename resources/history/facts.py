"""Facts that a step leaves in Dagster's event log, for programs: each is an observation of its asset.

A fact is metadata with a type. Nothing reads the sentence that stands beside it for people.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import dagster as dg

# Metadata of an observation: what a step makes many of (such as trees), how many are committed, and how many in all.
ITEMS, ITEMS_COMMITTED, ITEMS_TOTAL = "platform/items", "platform/items_committed", "platform/items_total"
# Metadata of an observation: where a manifest is about to be created, and the SHA-256 of its bytes in hex.
ANNOUNCED_PLACE, ANNOUNCED_SHA256 = "platform/announced_place", "platform/announced_manifest_sha256"
# Metadata of a step's failure: whether a person has said before that such a failure is no reason to be alarmed.
TOLERATED = "platform/tolerated"
# Metadata of a step's failure: a JSON list of sentences, one for each cause, if the step failed for several.
CAUSES = "platform/causes"
# The end of the log message by which releases before 0.2 said that a block is committed.
OLD_COMMITTED = " committed"


@dataclass(frozen=True)
class Announcement:
    """A manifest that a step was about to create: its place, and the SHA-256 of its bytes in hex."""

    place: str
    manifest_sha256: str


def committed_items(asset: dg.AssetKey, items: str, committed: int, total: int) -> dg.AssetObservation:
    """The fact that so many of a step's items are committed, so that a retry does not make them again.

    Args:
        asset: what the step makes from them.
        items: their kind, such as `trees`; a step may make several kinds, each with a count of its own.
        committed: how many are committed.
        total: how many there will be.
    """
    return dg.AssetObservation(
        asset_key=asset,
        description=f"{committed:,} of {total:,} {items} committed",
        metadata={ITEMS: items, ITEMS_COMMITTED: committed, ITEMS_TOTAL: total},
    )


def announced_manifest(asset: dg.AssetKey, place: str, manifest_sha256: str) -> dg.AssetObservation:
    """The fact that a step is about to create this manifest. It is logged before the manifest is created."""
    return dg.AssetObservation(
        asset_key=asset,
        description=f"commits {place}",
        metadata={ANNOUNCED_PLACE: place, ANNOUNCED_SHA256: manifest_sha256},
    )


def is_committed_block(entry: dg.EventLogEntry) -> bool:
    """Whether an entry says that a part of a step's work is committed, in the form of this release or an older one."""
    observation = entry.asset_observation
    if observation is not None:
        return ITEMS_COMMITTED in observation.metadata
    return entry.dagster_event is None and entry.user_message.endswith(OLD_COMMITTED)


def announcements(entries: Iterable[dg.EventLogEntry]) -> set[Announcement]:
    """Every manifest that these entries announce."""
    observations = [entry.asset_observation for entry in entries]
    return {
        Announcement(str(each.metadata[ANNOUNCED_PLACE].value), str(each.metadata[ANNOUNCED_SHA256].value))
        for each in observations
        if each and ANNOUNCED_PLACE in each.metadata and ANNOUNCED_SHA256 in each.metadata
    }
