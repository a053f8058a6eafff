"""What must hold after every case of the sweep, whatever failed and when."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from credit_assets.promotion.model_set import PARTS, read_set, verify_set
from credit_assets.promotion.table_pointer import open_pointer
from resources.store.artifacts import MANIFEST, find_artifact, verify_file
from resources.store.object_store import ObjectStore


@dataclass
class Invariants:
    """The invariants of one store and one event log, which many cases share.

    Args:
        folder: holds the store's objects as files.
        expected: digest of each asset's file, as an undisturbed run leaves it.
        slots: asks Dagster who holds the slots of the loans' pool, and who waits for one.
    """

    store: ObjectStore
    folder: Path
    expected: Mapping[str, str]
    slots: Callable[[], Any]
    _seen: dict[str, str] = field(default_factory=dict)

    def hold(self, runs: Sequence[dg.DagsterRun]) -> None:
        """Checks all of them on the runs of one case: the first run and its retries, the oldest first."""
        root = runs[0].run_id
        self.history_is_complete(runs)
        self.each_asset_is_committed_once_whole_and_with_the_expected_bytes(root)
        self.the_pointer_moved_once_and_to_an_audited_set(root)
        self.no_object_changed_or_disappeared()
        self.the_pool_is_empty()

    def history_is_complete(self, runs: Sequence[dg.DagsterRun]) -> None:
        statuses = [run.status.value for run in runs]
        assert statuses == ["FAILURE"] * (len(runs) - 1) + ["SUCCESS"], statuses
        assert [run.parent_run_id for run in runs] == [None, *(run.run_id for run in runs[:-1])], "retried twice"

    def each_asset_is_committed_once_whole_and_with_the_expected_bytes(self, root: str) -> None:
        for asset in PARTS:
            manifests = [key for key in self.store.list_keys(f"{asset}/{root}") if key.endswith(MANIFEST)]
            assert len(manifests) == 1, f"{asset} was published {len(manifests)} times: {manifests}"
            committed = find_artifact(self.store, manifests[0].removesuffix(f"/{MANIFEST}"))
            assert committed
            for file in committed.manifest.files:
                verify_file(self.store, file)
            if asset in self.expected:
                assert committed.sha256 == self.expected[asset], f"{asset} has other bytes than in an undisturbed run"

    def the_pointer_moved_once_and_to_an_audited_set(self, root: str) -> None:
        latest, *before = open_pointer(self.store, "loans").history()
        assert latest.value["root_run"] == root, "the pointer does not name the run that ended last"
        assert root not in [each.value["root_run"] for each in before], "it moved twice for one run"
        assert verify_set(self.store, read_set(self.store, latest)) == latest.value["metrics"]

    def no_object_changed_or_disappeared(self) -> None:
        now = {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.folder.rglob("*")
            if path.is_file() and ".probe" not in path.parts and "#" not in path.name
        }
        lost = {key for key, sha256 in self._seen.items() if now.get(key) != sha256}
        assert not lost, f"changed or disappeared: {sorted(lost)}"
        self._seen = now

    def the_pool_is_empty(self) -> None:
        pool = self.slots()
        assert pool.slot_count == 1, f"the pool has {pool.slot_count} slots: nobody would notice one that is kept"
        assert not pool.claimed_slots, f"a run that has ended keeps a slot: {pool}"
        assert not pool.pending_steps, f"a run that has ended waits for a slot: {pool}"
