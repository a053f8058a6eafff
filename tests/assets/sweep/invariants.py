"""What must hold after every case of the sweep, whatever failed and when; and what must hold after a refresh.

Belongs here: runs, the store, the pools, and a refresh. Does not belong here: what must hold after a wave
(`wave_invariants`).
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from credit_assets.benchmark.benchmark import BENCHMARK
from credit_assets.promotion.model_set import PARTS, read_set, verify_set
from credit_assets.promotion.table_pointer import open_pointer
from resources.store.artifacts import MANIFEST, find_artifact, verify_file
from resources.store.object_store import ObjectStore


@dataclass
class Invariants:
    """The invariants of one store and one event log, which many cases share.

    Args:
        store: holds what was committed.
        folder: holds the store's objects as files.
        pools: for each pool, who holds its slots, and who waits for one, as Dagster says it.
    """

    store: ObjectStore
    folder: Path
    pools: Callable[[], Mapping[str, Any]]
    _seen: dict[str, str] = field(default_factory=dict)

    def hold(self, runs: Sequence[dg.DagsterRun]) -> None:
        """Checks those of any case on its runs: the first run and its retries, the oldest first."""
        self.history_is_complete(runs)
        self.no_object_changed_or_disappeared()
        self.the_pools_are_empty()

    def history_is_complete(self, runs: Sequence[dg.DagsterRun]) -> None:
        statuses = [run.status.value for run in runs]
        assert statuses == ["FAILURE"] * (len(runs) - 1) + ["SUCCESS"], statuses
        assert [run.parent_run_id for run in runs] == [None, *(run.run_id for run in runs[:-1])], "retried twice"

    def no_object_changed_or_disappeared(self) -> None:
        now = {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.folder.rglob("*")
            if path.is_file() and ".probe" not in path.parts and "#" not in path.name
        }
        lost = {key for key, sha256 in self._seen.items() if now.get(key) != sha256}
        assert not lost, f"changed or disappeared: {sorted(lost)}"
        self._seen = now

    def the_pools_are_empty(self) -> None:
        for name, pool in self.pools().items():
            assert pool.slot_count == 1, f"{name} has {pool.slot_count} slots: nobody would notice one that is kept"
            assert not pool.claimed_slots, f"a run that has ended keeps a slot: {pool}"
            assert not pool.pending_steps, f"a run that has ended waits for a slot: {pool}"


@dataclass(frozen=True)
class RefreshInvariants:
    """What must hold after a refresh.

    Args:
        shared: what must hold after any case.
        expected: digest of each asset's file, as an undisturbed run leaves it.
    """

    shared: Invariants
    expected: Mapping[str, str]

    def hold(self, runs: Sequence[dg.DagsterRun]) -> None:
        """Checks all of them on the runs of one case: the first run and its retries, the oldest first."""
        root = runs[0].run_id
        self.each_asset_is_committed_once_whole_and_with_the_expected_bytes(root)
        self.the_pointer_moved_once_and_to_an_audited_set(root)
        self.shared.hold(runs)

    def each_asset_is_committed_once_whole_and_with_the_expected_bytes(self, root: str) -> None:
        for asset in (*PARTS, BENCHMARK):
            manifests = [key for key in self.shared.store.list_keys(f"{asset}/{root}") if key.endswith(MANIFEST)]
            assert len(manifests) == 1, f"{asset} was published {len(manifests)} times: {manifests}"
            committed = find_artifact(self.shared.store, manifests[0].removesuffix(f"/{MANIFEST}"))
            assert committed
            for file in committed.manifest.files:
                verify_file(self.shared.store, file)
            if asset in self.expected:
                assert committed.sha256 == self.expected[asset], f"{asset} has other bytes than in an undisturbed run"

    def the_pointer_moved_once_and_to_an_audited_set(self, root: str) -> None:
        latest, *before = open_pointer(self.shared.store, "loans").history()
        assert latest.value["root_run"] == root, "the pointer does not name the run that ended last"
        assert root not in [each.value["root_run"] for each in before], "it moved twice for one run"
        assert verify_set(self.shared.store, read_set(self.shared.store, latest)) == latest.value["metrics"]
