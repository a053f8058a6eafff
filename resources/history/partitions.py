"""Events of many partitions of one asset: what a step is going to make, what it has made, and what runs have made.

Dagster itself reports partitions from outside a step, before it, and as one range. A step that makes any set of
partitions, each alone, reports them here.

Belongs here: the events, as pure functions, and their way to the storage and back in pages. Does not belong here: how
a page is written (resources/instance/event_log_storage.py), and what a partition stands for.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

# Not public: docs/decisions/code/0018-events-of-many-partitions-in-pages.md.
from dagster._core.events import AssetMaterializationPlannedData, StepMaterializationData  # noqa: TID251

from resources.errors import PlatformError
from resources.history.run_groups import EVENT, PAGE

# Tags of a materialization, by which Dagster finds its versions.
DATA_VERSION, CODE_VERSION = "dagster/data_version", "dagster/code_version"
# "true": the data version comes from the code of the asset, and was not derived from the versions of its inputs.
OWN_DATA_VERSION = "dagster/data_version_is_user_provided"


class PartitionsError(PlatformError, ValueError):
    """Partitions can't be reported as they are: says which, and what to do."""


@dataclass(frozen=True)
class PartitionRecord:
    """What a step has made of one partition.

    Attributes:
        partition: its key.
        data_version: a digest of the content. If it is the one before, what depends on the partition need not run.
        metadata: values as `dg.AssetMaterialization` accepts them.
        tags: more tags of the materialization.
    """

    partition: str
    data_version: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def identify_step(context: dg.AssetExecutionContext) -> tuple[str, str, str]:
    """A step's run, job and key, as the functions below take them."""
    step = context.op_execution_context.get_step_execution_context().step
    return context.run.run_id, context.run.job_name, step.key


def plan_partitions(
    instance: dg.DagsterInstance,
    run_id: str,
    job_name: str,
    step_key: str,
    asset_key: dg.AssetKey,
    partitions: Sequence[str],
) -> None:
    """Reports that a run is going to materialize these partitions, so that each is in progress, or failed with the run.

    If this raises, whole pages may be stored. To report a partition twice does no harm.

    Args:
        instance: where the events are.
        run_id: the run.
        job_name: the run's job.
        step_key: the step that is going to make them.
        asset_key: the partitioned asset.
        partitions: any of its partitions, in any order.

    Raises:
        PartitionsError: a partition has no name, or occurs twice.
    """
    refuse_unclear(partitions)
    for begin in range(0, len(partitions), PAGE):
        now = time.time()
        planned = [
            make_planned_event(job_name, step_key, asset_key, partition)
            for partition in partitions[begin : begin + PAGE]
        ]
        instance.event_log_storage.store_event_batch([make_entry(event, run_id, now) for event in planned])


def record_partitions(
    instance: dg.DagsterInstance,
    run_id: str,
    job_name: str,
    step_key: str,
    asset_key: dg.AssetKey,
    records: Sequence[PartitionRecord],
    code_version: str | None = None,
) -> None:
    """Reports that a step of a run has materialized these partitions.

    If this raises, whole pages of records may be stored; `read_recorded` says which.

    Args:
        instance: where the events are.
        run_id: the step's run.
        job_name: the run's job.
        step_key: the step.
        asset_key: the partitioned asset.
        records: one for each partition.
        code_version: of the code that made all of them; None: unknown.

    Raises:
        PartitionsError: a partition has no name, or occurs twice.
    """
    refuse_unclear([record.partition for record in records])
    for begin in range(0, len(records), PAGE):
        now = time.time()
        made = [
            make_materialization_event(job_name, step_key, asset_key, record, code_version)
            for record in records[begin : begin + PAGE]
        ]
        instance.event_log_storage.store_event_batch([make_entry(event, run_id, now) for event in made])


def read_recorded(instance: dg.DagsterInstance, run_ids: Iterable[str], asset_key: dg.AssetKey) -> frozenset[str]:
    """The partitions of an asset that these runs have materialized. Names only: no event is decoded."""
    made = (instance.get_asset_partitions_for_run(run, EVENT.ASSET_MATERIALIZATION) for run in run_ids)
    return frozenset(partition for found in made for partition in found.get(asset_key, ()) if partition is not None)


def make_planned_event(job_name: str, step_key: str, asset_key: dg.AssetKey, partition: str) -> dg.DagsterEvent:
    """The event by which Dagster knows that a run is going to materialize a partition."""
    planned = AssetMaterializationPlannedData(asset_key, partition=partition)
    return dg.DagsterEvent.build_asset_materialization_planned_event(job_name, step_key, planned)


def make_materialization_event(
    job_name: str, step_key: str, asset_key: dg.AssetKey, record: PartitionRecord, code_version: str | None = None
) -> dg.DagsterEvent:
    """The event by which Dagster knows that a step has materialized a partition."""
    versions = {DATA_VERSION: record.data_version, OWN_DATA_VERSION: "true"}
    if code_version is not None:
        versions[CODE_VERSION] = code_version
    materialization = dg.AssetMaterialization(
        asset_key=asset_key, partition=record.partition, metadata=record.metadata, tags={**record.tags, **versions}
    )
    return dg.DagsterEvent(
        event_type_value=EVENT.ASSET_MATERIALIZATION.value,
        job_name=job_name,
        step_key=step_key,
        event_specific_data=StepMaterializationData(materialization),
        message=f"Materialized value {materialization.label}.",
    )


def make_entry(event: dg.DagsterEvent, run_id: str, timestamp: float) -> dg.EventLogEntry:
    """An event as the event log keeps it; `timestamp` is in Unix seconds."""
    return dg.EventLogEntry(
        error_info=None,
        level="debug",
        user_message="",
        run_id=run_id,
        timestamp=timestamp,
        step_key=event.step_key,
        job_name=event.job_name,
        dagster_event=event,
    )


def refuse_unclear(partitions: Iterable[str]) -> None:
    """Every partition has a name, and occurs once. Dagster would store a nameless one as the whole asset.

    Raises:
        PartitionsError: one has none, or occurs twice.
    """
    for partition, times in Counter(partitions).items():
        if not partition:
            raise PartitionsError("a partition has an empty name: leave it out, or give it a name")
        if times > 1:
            raise PartitionsError(f"partition {partition!r} occurs {times} times: expected once. Leave out the others")
