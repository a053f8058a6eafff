"""The record of a wave in Dagster: an event for each location, as a partition of `location_scores`.

All locations are planned first, so that Dagster's UI shows them as under way. A location that was scored is
materialized. One that failed stays planned, and Dagster shows it as failed as soon as the run has failed.

Belongs here: what Dagster is told of a location. Does not belong here: how events are written
(`resources.history.partitions`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import dagster as dg

from credit_assets.waves.outcomes import Outcome, Scored
from credit_assets.waves.plans.plan import Plan
from credit_assets.waves.runs.attempts import find_first_attempt, list_attempts
from resources.history.partitions import (
    PartitionRecord,
    identify_step,
    plan_partitions,
    read_recorded,
    record_partitions,
)
from resources.store.checkpoints import Artifact

LOCATION_SCORES, LOCATIONS = "location_scores", "locations"
ASSET = dg.AssetKey(LOCATION_SCORES)
CODE_VERSION = "1"
PARTITIONS = dg.DynamicPartitionsDefinition(name=LOCATIONS)


def find_failed_locations(instance: dg.DagsterInstance) -> list[str]:
    """The locations that Dagster shows as failed: those that a failed run was to score last, and did not."""
    names = instance.get_dynamic_partitions(LOCATIONS)
    states = instance.get_status_by_partition(ASSET, names, PARTITIONS) or {}
    return [name for name, state in states.items() if state and state.name == "FAILED"]


@dataclass(frozen=True)
class LocationLog:
    """The events of one attempt's locations.

    Attributes:
        context: of the step.
        is_planned: whether Dagster planned these partitions itself when it made the run.
    """

    context: dg.AssetExecutionContext
    is_planned: bool = False

    @cached_property
    def recorded(self) -> frozenset[str]:
        """The locations that attempts of this wave have recorded as scored before this one."""
        return read_recorded(self.context.instance, list_attempts(self.context.instance, self.context.run), ASSET)

    @cached_property
    def first_run(self) -> str:
        """Id of the run that was asked for, whose attempt this is."""
        return find_first_attempt(self.context.instance, self.context.run).run_id

    def plan(self, locations: Sequence[str]) -> None:
        """Makes the locations partitions, and plans those that no attempt has recorded."""
        self.context.instance.add_dynamic_partitions(LOCATIONS, list(locations))
        left = [each for each in locations if each not in self.recorded]
        if left and not self.is_planned:
            plan_partitions(self.context.instance, *identify_step(self.context), ASSET, left)

    def select_new(self, outcomes: Iterable[Outcome]) -> list[Scored]:
        """The scored locations that no attempt has recorded."""
        return [each for each in outcomes if isinstance(each, Scored) and each.location not in self.recorded]

    def record(self, scored: Sequence[Scored], chunk: Artifact, plan: Plan) -> None:
        """Materializes these locations, in one batch."""
        records = [
            PartitionRecord(
                partition=each.location,
                data_version=each.sha256,
                metadata={
                    "dagster/row_count": each.rows,
                    "seconds": each.seconds,
                    "wave": dg.MetadataValue.dagster_run(self.first_run),
                    "promotion": plan.model_number,
                    "path": dg.MetadataValue.path(chunk.location),
                },
            )
            for each in scored
        ]
        record_partitions(self.context.instance, *identify_step(self.context), ASSET, records, CODE_VERSION)
