"""The plan of a wave: which model scores which locations, in which chunks. It is written once, by the first attempt.

A retry reads the plan that it finds, so that a wave scores with one model, whatever was promoted meanwhile.

Belongs here: the plan, and how locations become chunks. Does not belong here: which locations are chosen (`choice`).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from resources.errors import PlatformError
from resources.store.object_store import ObjectMissing, ObjectStore
from resources.store.written_once import compute_sha256, write_once

# A chunk of so many rows is scored in well under a second, and a lost worker costs one chunk.
MOST_LOCATIONS, MOST_ROWS = 100, 10_000
PLAN_VERSION = 1


class PlanError(PlatformError):
    """The plan of a wave can't be read, or is that of another config: says which, and what to do."""


@dataclass(frozen=True)
class Plan:
    """What one wave does.

    Attributes:
        wave: id of the run that began it.
        began: when the first attempt made the plan; UTC, ISO 8601.
        model_number: the promotion whose model scores.
        model_sha256: of the model's file, in hex.
        chunks: names of locations, each location in one chunk.
        unknown: names that were asked for and are not in the table of locations.
        defects: locations of the chunks that can't be scored whatever their rows are, each with its reason.
        asked: the config that the plan was made from, as JSON.
        stray_applications: open applications of no location that the table of locations has; no wave scores them.
        plan_version: of the plan's form.
    """

    wave: str
    began: str
    model_number: int
    model_sha256: str
    chunks: Sequence[Sequence[str]]
    unknown: Sequence[str] = ()
    defects: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)
    stray_applications: int = 0
    plan_version: int = PLAN_VERSION

    @property
    def began_at(self) -> datetime:
        """When it began, with its time zone."""
        return datetime.fromisoformat(self.began)

    @cached_property
    def locations(self) -> list[str]:
        """All locations that are scored, in the order of the chunks."""
        return [location for chunk in self.chunks for location in chunk]

    @cached_property
    def sha256(self) -> str:
        """SHA-256 in hex of its bytes, on which the place of every chunk depends."""
        return compute_sha256(self.to_bytes())

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes, location: str) -> "Plan":
        """The plan that these bytes are.

        Raises:
            PlanError: they are no plan, or one of another release.
        """
        remedy = "Start a new wave, which has a plan of its own"
        try:
            fields = json.loads(data)
            version = fields["plan_version"]
            plan = cls(**fields) if version == PLAN_VERSION else None
            if plan:
                return replace(plan, chunks=tuple(map(tuple, plan.chunks)), unknown=tuple(plan.unknown))
        except (ValueError, TypeError, KeyError):
            raise PlanError(f"{location} can't be read as the plan of a wave: it was changed. {remedy}") from None
        raise PlanError(f"{location} has version {version}; this release reads {PLAN_VERSION}. {remedy}")


def split_chunks(
    rows: Mapping[str, int], most_locations: int = MOST_LOCATIONS, most_rows: int = MOST_ROWS
) -> list[tuple[str, ...]]:
    """Locations in chunks of few enough locations and rows, in their order. A greater location is a chunk of its own.

    Args:
        rows: open applications of each location.
        most_locations: of one chunk.
        most_rows: of one chunk, unless one location has more.
    """
    chunks: list[tuple[str, ...]] = []
    chunk: list[str] = []
    total = 0
    for location, count in rows.items():
        if chunk and (len(chunk) == most_locations or total + count > most_rows):
            chunks.append(tuple(chunk))
            chunk, total = [], 0
        chunk.append(location)
        total += count
    return [*chunks, tuple(chunk)] if chunk else chunks


def refuse_other_config(plan: Plan, asked: Mapping[str, Any]) -> None:
    """Refuses a retry with another config than that of the plan, which would be passed over in silence.

    Raises:
        PlanError: the configs differ.
    """
    if plan.asked != asked:
        different = sorted(name for name in {*plan.asked, *asked} if plan.asked.get(name) != asked.get(name))
        raise PlanError(
            f"the wave of run {plan.wave} was planned with another config ({', '.join(different)}), and a "
            "re-execution does not change its plan. Launch a new run with this config"
        )


def keep_plan(store: ObjectStore, asset: str, wave: str, make: Callable[[], Plan]) -> Plan:
    """The plan of a wave: the one that an earlier attempt wrote, or else one that is made and written now.

    Args:
        store: where waves are stored.
        asset: the asset whose step scores, which is the folder.
        wave: id of the run that began it.
        make: makes a plan; of two attempts at once, the plan that was written first stands.

    Raises:
        PlanError: the plan that is there was changed.
        StoreError: the store is full, denied or away.
    """
    key = f"{asset}/{wave}/plan.json"
    if found := _read_plan(store, key):
        return found
    plan = make()
    written = write_once(store, key, plan.to_bytes())
    return plan if written.created else Plan.from_bytes(written.read(), store.location(key))


def _read_plan(store: ObjectStore, key: str) -> Plan | None:
    try:
        return Plan.from_bytes(store.read(key), store.location(key))
    except ObjectMissing:
        return None
