"""Trust: whether a manifest that lies in the store is one that a step of this root run created.

The store decides which of two writers was first, and does not say who they are. So a step logs the digest of its
manifest in PostgreSQL before it creates it; who can write to the store alone can't make that entry (docs/trust.md).
"""

from collections.abc import Sequence

from resources.history.facts import Announcement
from resources.history.step_log import LoggedRun
from resources.store.artifacts import MANIFEST, ArtifactError, Committed


def is_announced(committed: Committed, runs: Sequence[LoggedRun]) -> bool:
    """Whether one of the runs announced exactly this manifest at this place."""
    announcement = Announcement(committed.place, committed.manifest_sha256)
    return any(announcement in run.announced for run in runs)


def is_from_before_announcements(committed: Committed, runs: Sequence[LoggedRun]) -> bool:
    """Whether the manifest may be by a run of a release that did not announce manifests.

    The manifest names its run, and anybody who can write to the store can name any. So the event log decides: the run
    is one of this root run, it began the step, and no process of it was of a release that announces.
    """
    named = committed.manifest.run
    return any(run.run == named and run.began_step and not run.announces for run in runs)


def refuse_unannounced(committed: Committed, runs: Sequence[LoggedRun], location: str) -> None:
    """Raises ArtifactError unless a run of this root run created the manifest.

    Args:
        committed: what was found in the store.
        runs: the root run and every run that retries it.
        location: URI of the place.
    """
    if is_announced(committed, runs) or is_from_before_announcements(committed, runs):
        return
    raise ArtifactError(
        f"{location}/{MANIFEST} (sha256 {committed.manifest_sha256[:12]}…) is in the store, but no attempt of this run "
        "announced it in the event log: another program wrote it, or the event log was restored to an earlier time. "
        "It is not used. Find out who wrote it (docs/trust.md), then start a new run, which has a place of its own"
    )
