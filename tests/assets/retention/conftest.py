"""Fixtures of retention: a store and an instance that a test fills with runs and with what they left."""

import time
import uuid
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pytest

from credit_assets.promotion.table_pointer import open_pointer
from credit_assets.retention.removal import Removal
from credit_assets.retention.stored.stored_objects import find_stored_removals
from credit_assets.settings.retention import Retention
from resources.history.tags import PARENT, ROOT
from resources.store.artifacts import Committed, Manifest, commit, store_file
from resources.store.object_store import ObjectStore

TABLE = "credit.loans"
LIMITS = Retention()
ENDS = {
    dg.DagsterRunStatus.SUCCESS: dg.DagsterEventType.RUN_SUCCESS,
    dg.DagsterRunStatus.FAILURE: dg.DagsterEventType.RUN_FAILURE,
}


@dataclass(frozen=True)
class Shelf:
    """What runs left, and how old it is taken to be."""

    store: ObjectStore
    instance: dg.DagsterInstance

    def run(
        self,
        status: dg.DagsterRunStatus = dg.DagsterRunStatus.SUCCESS,
        retries: str | None = None,
        tags: dict[str, str] | None = None,
        job: str = "refresh",
    ) -> str:
        """A run that has ended just now, or has not."""
        relatives = {ROOT: retries, PARENT: retries} if retries else {}
        run = dg.DagsterRun(
            job_name=job,
            run_id=str(uuid.uuid4()),
            status=dg.DagsterRunStatus.STARTED,
            tags={**(tags or {}), **relatives},
            root_run_id=retries,
            parent_run_id=retries,
        )
        self.instance.add_run(run)
        if status in ENDS:
            event = dg.DagsterEvent(event_type_value=ENDS[status].value, job_name=job)
            self.instance.report_dagster_event(event, run_id=run.run_id)
        return run.run_id

    def artifact(self, asset: str, root: str, fingerprint: int = 1, **sources: Committed) -> Committed:
        """An artifact that was made from others."""
        place = f"{asset}/{root}/{fingerprint:016x}"
        file = store_file(self.store, place, "data.parquet", f"{asset} of {root}, {fingerprint}".encode())
        facts = {f"{name}_sha256": source.sha256 for name, source in sources.items()}
        return commit(self.store, place, Manifest(asset, root, root, {"code": "1"}, "parquet", 1, [file], facts, {}))

    def promote(self, *parts: Committed) -> None:
        """Moves the pointer, as a promotion does."""
        pointer = open_pointer(self.store, TABLE)
        named = {each.manifest.asset: {"place": each.place} for each in parts}
        pointer.move(pointer.read_state(), {"table": TABLE, "set": named})

    def find(self, days: float) -> dict[str, Removal]:
        """What retention finds so many days from now, by the first word of its kind."""
        found = find_stored_removals(self.store, self.instance, LIMITS, time.time() + days * 86_400)
        return {each.kind.split()[0].rstrip(","): each for each in found}

    def retain(self, days: float) -> None:
        """Deletes what is old so many days from now."""
        for each in self.find(days).values():
            each.delete()

    def has(self, part: Committed) -> bool:
        """Whether an artifact is there with its files; an artifact of which a piece is gone fails the test."""
        keys = set(self.store.list_keys(part.place))
        expected = {f"{part.place}/manifest.json", *(file.key for file in part.manifest.files)}
        assert keys in (set(), expected), "half of an artifact is left"
        return bool(keys)


@pytest.fixture
def shelf(store: ObjectStore, empty_instance: Any) -> Shelf:
    return Shelf(store, empty_instance)
