"""The plan of a wave: which model scores which locations. It is written once, by the first attempt.

A retry reads the plan that it finds, so that a wave scores with one model, whatever was promoted meanwhile.

Belongs here: the plan. Does not belong here: which locations are chosen (`choice`), and how they become chunks
(`chunks`).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from resources.errors import PlatformError
from resources.store.object_store import ObjectMissing, ObjectStore
from resources.store.written_once import compute_sha256, write_once

PLAN_VERSION = 3  # 2 has locations with their rows, where 1 had fixed chunks; 3 names strays and repetitions


class PlanError(PlatformError):
    """The plan of a wave can't be read, or is that of another config: says which, and what to do."""


@dataclass(frozen=True)
class Share:
    """What one run of a wave scores.

    Attributes:
        rows: open applications of each of its locations, in the order in which chunks take them.
        unknown: names that it reports as unknown.
    """

    rows: Mapping[str, int]
    unknown: Sequence[str] = ()


@dataclass(frozen=True)
class Plan:
    """What one wave does.

    Attributes:
        wave: its id, which is that of the run that began it, unless shards share another.
        began: when the first attempt made the plan; UTC, ISO 8601.
        model_number: the promotion whose model scores.
        model_sha256: of the model's file, in hex.
        locations: names of all locations that are scored, each once, in the order in which chunks take them.
        rows: open applications of each of these locations.
        unknown: names that were asked for and are not in the table of locations.
        defects: locations that can't be scored whatever their rows are, each with its reason.
        asked: the config that the plan was made from, as JSON.
        stray_applications: open applications of no location that the table of locations has; no wave scores them.
        stray_locations: names of the first of these locations; an empty one stands for applications without any.
        repeated_locations: names of the first locations that have several rows in their table; each is scored once.
        plan_version: of the plan's form.
    """

    wave: str
    began: str
    model_number: int
    model_sha256: str
    locations: Sequence[str]
    rows: Sequence[int]
    unknown: Sequence[str] = ()
    defects: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)
    stray_applications: int = 0
    stray_locations: Sequence[str] = ()
    repeated_locations: Sequence[str] = ()
    plan_version: int = PLAN_VERSION

    @property
    def began_at(self) -> datetime:
        """When it began, with its time zone."""
        return datetime.fromisoformat(self.began)

    def count_rows(self) -> dict[str, int]:
        """Open applications of each location that is scored, in the order in which chunks take them."""
        return dict(zip(self.locations, self.rows, strict=True))

    @property
    def size(self) -> int:
        """How many outcomes the whole wave has: of its locations, and of the names that are unknown."""
        return len(self.locations) + len(self.unknown)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 in hex of its bytes, on which the place of every chunk depends."""
        return compute_sha256(self.to_bytes())

    def take_share(self, shard: int, shards: int) -> Share:
        """What one of many runs scores, about as many locations as each other run. The first reports unknown names.

        Args:
            shard: from 1.
            shards: how many runs share the plan.
        """
        mine = list(self.count_rows().items())[shard - 1 :: shards]
        return Share(dict(mine), self.unknown if shard == 1 else ())

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
            if version == PLAN_VERSION:
                names = ("locations", "rows", "unknown", "stray_locations", "repeated_locations")
                lists = {name: tuple(fields[name]) for name in names}
                plan = cls(**fields | lists)
                plan.count_rows()  # ValueError: the two lists differ in length
                return plan
        except (ValueError, TypeError, KeyError):
            raise PlanError(f"{location} can't be read as the plan of a wave: it was changed. {remedy}") from None
        raise PlanError(f"{location} has version {version}; this release reads {PLAN_VERSION}. {remedy}")


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
        wave: its id, which is that of the run that began it, unless shards share another.
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
