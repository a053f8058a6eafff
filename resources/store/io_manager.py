"""The IO manager: between Dagster's steps and the checkpoints.

It commits what a step yields and logs where it lies with its digest; it loads what the event log names, never the
newest file. Everything it does to bytes is in `checkpoints` and `artifacts`.
"""

from collections.abc import Mapping

import dagster as dg

from resources.store.artifacts import ArtifactError, Committed, read_manifest
from resources.store.checkpoints import Artifact, Checkpoints, Draft
from resources.store.formats import FORMATS

PLACE = "checkpoint/place"
MANIFEST_SHA256 = "checkpoint/manifest_sha256"
MANIFEST_ONLY = {"read": "manifest"}  # metadata of an input that wants no value: it gets the Committed
NOT_IN_THIS_RUN = "none"  # the step key that Dagster gives to an upstream asset which the run does not materialize


class CheckpointIOManager(dg.ConfigurableIOManager):
    """Commits drafts and loads artifacts, in the format that the asset's definition metadata names."""

    checkpoints: dg.ResourceDependency[Checkpoints]

    def handle_output(self, context: dg.OutputContext, obj: Artifact | Draft) -> None:
        if not isinstance(obj, Artifact | Draft):
            raise ArtifactError(
                f"{context.asset_key.to_user_string()}: expected what Work.adopt_or returns, got {type(obj).__name__}"
            )
        context.add_output_metadata(_logged(obj.commit()))

    def load_input(self, context: dg.InputContext) -> Artifact | Committed:
        if context.upstream_output is None:
            raise ArtifactError(f"input {context.name} names no asset")
        recorded = _recorded(context)
        place, manifest_sha256 = str(recorded[PLACE].value), str(recorded[MANIFEST_SHA256].value)
        if context.definition_metadata.items() >= MANIFEST_ONLY.items():
            return read_manifest(self.checkpoints.store, place, manifest_sha256)
        format = FORMATS[str(context.upstream_output.definition_metadata["format"])]
        return self.checkpoints.logged(place, manifest_sha256, format)


def _logged(artifact: Artifact) -> dict[str, dg.MetadataValue]:
    committed = artifact.committed
    manifest = committed.manifest
    return {
        "path": dg.MetadataValue.path(artifact.location),
        "sha256": dg.MetadataValue.text(committed.sha256),
        "bytes": dg.MetadataValue.int(sum(file.bytes for file in manifest.files)),
        "seconds": dg.MetadataValue.float(round(artifact.seconds, 3)),
        "code version": dg.MetadataValue.text(str(manifest.identity["code"])),
        "computed by run": dg.MetadataValue.dagster_run(manifest.run),
        PLACE: dg.MetadataValue.text(committed.place),
        MANIFEST_SHA256: dg.MetadataValue.text(committed.manifest_sha256),
    }


def _recorded(context: dg.InputContext) -> Mapping[str, dg.MetadataValue]:
    """Metadata of the materialization to load: of the run that this one goes on from, or else the latest of all."""
    key = context.asset_key
    event = _materialization_of_this_run(context) or _latest_materialization(context)
    if event is None or event.asset_materialization is None:
        raise ArtifactError(f"{key.to_user_string()} was never materialized: materialize it first")
    metadata = event.asset_materialization.metadata
    if PLACE not in metadata or MANIFEST_SHA256 not in metadata:
        raise ArtifactError(
            f"the latest materialization of {key.to_user_string()} names no checkpoint: it was reported from outside. "
            "Materialize the asset here"
        )
    return metadata


def _materialization_of_this_run(context: dg.InputContext) -> dg.EventLogEntry | None:
    upstream = context.upstream_output
    if upstream is None or upstream.step_key == NOT_IN_THIS_RUN:
        return None
    records = context.instance.get_records_for_run(upstream.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    entries = [record.event_log_entry for record in records.records]
    ours = [entry for entry in entries if entry.dagster_event and entry.dagster_event.asset_key == context.asset_key]
    return ours[-1] if ours else None


def _latest_materialization(context: dg.InputContext) -> dg.EventLogEntry | None:
    partitions = [context.partition_key] if context.has_asset_partitions and context.has_partition_key else None
    wanted = dg.AssetRecordsFilter(asset_key=context.asset_key, asset_partitions=partitions)
    records = context.instance.fetch_materializations(wanted, limit=1).records
    return records[0].event_log_entry if records else None
