"""What retention deletes from the store: what old waves left, blocks of trainings, and artifacts that nobody promoted.

Every rule looks again at runs, positions and objects before it deletes, and deletes what is still old then. So it may
be interrupted anywhere, and the next call deletes what is left. Of an artifact the manifest goes first.

Scores of a wave are in the table of scores. Its chunks are read by attempts of its own runs only. So they may go, also
if Dagster still names a chunk as the path of a location that was not scored since.

Belongs here: what is said and deleted. Does not belong here: what is old (`survey`).
"""

from collections.abc import Callable
from functools import partial

import dagster as dg

from credit_assets.promotion.by_hand import promote_by_hand_job
from credit_assets.retention.removal import Amount, Removal
from credit_assets.retention.stored.layout import Kind, measure_items
from credit_assets.retention.stored.survey import Sorted, Survey, survey_store
from credit_assets.settings.retention import Retention
from resources.errors import PlatformError
from resources.history.run_groups import find_unfinished_run
from resources.store.object_store import ObjectStore

IN_ORDER = (Kind.MANIFEST, Kind.FILE, Kind.BLOCK, Kind.WAVE)


class RemovalPostponed(PlatformError):
    """Something is under way that may need what would be deleted: says what, and that the next retention deletes it."""


def find_stored_removals(
    store: ObjectStore, instance: dg.DagsterInstance, retention: Retention, now: float
) -> list[Removal]:
    """What goes from the store, and what stays.

    Call it before runs are deleted from Dagster: what a run left whose end nobody knows is kept for the longer limit.

    Args:
        store: of the artifacts.
        instance: where the runs are.
        retention: the limits.
        now: Unix seconds.

    Raises:
        PointerError: a position is missing or was changed. Nothing is deleted, because it may name anything.
        StoreError: the store can't be read.
    """
    survey = partial(survey_store, store, instance, retention, now)
    found = survey()
    folders = ", ".join(sorted({each.key.split("/")[0] for each in found.unknown}))
    return [
        _make_removal(
            "chunks, plans and reports of old waves",
            found.waves,
            f"their runs have not ended, or ended less than {retention.wave_days} days ago and may be retried; the "
            "newest report stays",
            lambda: _delete(store, survey().waves),
        ),
        _make_removal(
            "blocks of trainings",
            found.blocks,
            f"their training has not ended, or ended without a result less than {retention.block_days} days ago and "
            "may be continued",
            lambda: _delete(store, survey().blocks),
        ),
        _make_removal(
            "artifacts that were never promoted",
            found.artifacts,
            "a position names them or their run, their runs have not ended or ended less than "
            f"{retention.artifact_days} days ago, they are the newest of their asset, or something that stays was made "
            "from them",
            lambda: _delete_artifacts(store, instance, survey),
        ),
        Removal(
            "objects that retention does not know",
            Amount(0),
            measure_items(found.unknown),
            f"nobody but you knows whether they are needed; they lie in {folders}" if folders else "there are none",
            lambda: None,
        ),
    ]


def _make_removal(kind: str, found: Sorted, why: str, delete: Callable[[], None]) -> Removal:
    return Removal(kind, measure_items(found.goes), measure_items(found.stays), why, delete)


def _delete(store: ObjectStore, found: Sorted) -> None:
    for kind in IN_ORDER:
        store.delete_all([each.key for each in found.goes if each.kind is kind])


def _delete_artifacts(store: ObjectStore, instance: dg.DagsterInstance, survey: Callable[[], Survey]) -> None:
    # Before the positions are read: a promotion that ends in between has then left its position.
    promotes = find_unfinished_run(instance, [promote_by_hand_job.name])
    found = survey().artifacts
    if promotes and found.goes:
        raise RemovalPostponed(
            f"run {promotes} promotes a set by hand, which may be an old one: no artifact was deleted. Wait until it "
            "has ended and run retention again, or leave it to the next retention"
        )
    _delete(store, found)
