"""What must hold whatever was struck, and when: written down once, asked after every case."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from credit_assets.promotion.model_set import PARTS, promoted_set, verified_metrics
from credit_assets.promotion.rule import POINTER
from resources.store.artifacts import MANIFEST, find, verify_file
from resources.store.object_store import ObjectStore
from resources.store.pointer import Pointer


@dataclass
class Invariants:
    """Of a store and an event log that many cases share.

    Args:
        folder: where the store's objects lie.
        expected: digest of each asset's file, as an undisturbed run leaves it.
        slots: asks who is in the pool of the loans.
    """

    store: ObjectStore
    folder: Path
    expected: Mapping[str, str]
    slots: Callable[[], Any]
    _seen: dict[str, str] = field(default_factory=dict)

    def hold(self, runs: Sequence[dg.DagsterRun]) -> None:
        """Asks all of them about a run that was asked for and its retries, the oldest first."""
        root = runs[0].run_id
        self.history_is_complete(runs)
        self.each_asset_is_committed_once_whole_and_with_the_expected_bytes(root)
        self.the_pointer_moved_once_and_to_an_audited_set(root)
        self.no_object_changed_or_vanished()
        self.nobody_is_left_in_the_pool()

    def history_is_complete(self, runs: Sequence[dg.DagsterRun]) -> None:
        statuses = [run.status.value for run in runs]
        assert statuses == ["FAILURE"] * (len(runs) - 1) + ["SUCCESS"], statuses
        assert [run.parent_run_id for run in runs] == [None, *(run.run_id for run in runs[:-1])], "retried twice"

    def each_asset_is_committed_once_whole_and_with_the_expected_bytes(self, root: str) -> None:
        for asset in PARTS:
            manifests = [key for key in self.store.list_keys(f"{asset}/{root}") if key.endswith(MANIFEST)]
            assert len(manifests) == 1, f"{asset} was published {len(manifests)} times: {manifests}"
            committed = find(self.store, manifests[0].removesuffix(f"/{MANIFEST}"))
            assert committed
            for file in committed.manifest.files:
                verify_file(self.store, file)
            if asset in self.expected:
                assert committed.sha256 == self.expected[asset], f"{asset} has other bytes than undisturbed"

    def the_pointer_moved_once_and_to_an_audited_set(self, root: str) -> None:
        latest, *before = Pointer(self.store, POINTER).history()
        assert latest.value["root_run"] == root, "it does not stand at the run that ended last"
        assert root not in [each.value["root_run"] for each in before], "it was moved twice for one run"
        assert verified_metrics(self.store, promoted_set(self.store, latest)) == latest.value["metrics"]

    def no_object_changed_or_vanished(self) -> None:
        now = {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.folder.rglob("*")
            if path.is_file() and ".probe" not in path.parts and "#" not in path.name
        }
        lost = {key for key, sha256 in self._seen.items() if now.get(key) != sha256}
        assert not lost, f"changed or vanished: {sorted(lost)}"
        self._seen = now

    def nobody_is_left_in_the_pool(self) -> None:
        pool = self.slots()
        assert pool.slot_count == 1, f"the pool has {pool.slot_count} places: nobody would notice"
        assert not pool.claimed_slots, f"kept by the dead: {pool}"
        assert not pool.pending_steps, f"the dead still wait: {pool}"
