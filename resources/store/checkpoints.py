"""Checkpoints: where a step's outputs lie, and whether they are committed already.

A retry has another run id but the same root run, and derives the same place from the same code version, config, inputs
and library versions. So it finds what an earlier attempt committed and adopts it instead of computing again; a retry
that was given other code or config derives another place and computes.

Belongs here: places, drafts, adoption, and the resource that steps get them from. Does not belong here: bytes and
digests (`artifacts`), blocks (`blocks`), whom to believe (`trust`), and Dagster's inputs and outputs (`io_manager`).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import dagster as dg

from resources.history.facts import announced_manifest, committed_items
from resources.history.step_log import DagsterStepLog, StepLog
from resources.history.tags import ANNOUNCES, UNKNOWN, Whereabouts
from resources.store.artifacts import (
    REMEDY,
    ArtifactError,
    Committed,
    Manifest,
    commit,
    find_artifact,
    library_versions,
    name_versions,
    read_file,
    read_manifest,
    store_file,
)
from resources.store.blocks.series import Blocks
from resources.store.formats import FORMATS, Format
from resources.store.object_store import ObjectStore
from resources.store.opening import open_store
from resources.store.trust import refuse_unannounced
from resources.store.written_once import compute_sha256


@dataclass(frozen=True)
class Artifact:
    """A committed value: verified if it was loaded, as computed if it was committed just now.

    Args:
        value: what the format of the output reads and writes.
        committed: manifest and digest of what lies in the store.
        location: URI of its first file.
        seconds: how long computing it took; 0 if it was adopted or loaded.
    """

    value: Any
    committed: Committed
    location: str
    seconds: float = 0.0

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the step that made it recorded about it, as JSON."""
        return self.committed.manifest.facts

    @property
    def sha256(self) -> str:
        """Digest of its first file, as `sha256sum` prints it."""
        return self.committed.sha256

    def commit(self) -> "Artifact":
        """Returns itself: it is committed."""
        return self


@dataclass(frozen=True)
class Draft:
    """A value that was computed and is not committed yet."""

    work: "Work"
    value: Any
    facts: Mapping[str, Any]
    seconds: float

    def commit(self) -> Artifact:
        """Writes the files, announces the manifest in the event log, and creates it.

        If another attempt was first, its artifact stands. A step that dies between the announcement and the creation
        does no harm: an announcement of a manifest that does not exist is never looked for.

        Raises:
            ArtifactError: the manifest that was there first is damaged, or no attempt announced it.
            StoreError: the store is full, denied or away.
        """
        work = self.work
        files = work.format.encode(self.value, work.asset.rpartition("/")[2])
        manifest = Manifest(
            asset=work.asset,
            root_run=work.root_run,
            run=work.run,
            identity=work.identity,
            format=work.format.name,
            format_version=work.format.version,
            files=[store_file(work.store, work.place, name, content) for name, content in files.items()],
            facts=self.facts,
            versions=name_versions(),
            where=work.where.to_manifest(),
        )
        work.log.write_fact(announced_manifest(work.asset_key, work.place, manifest.sha256))
        committed = commit(work.store, work.place, manifest)
        if committed.manifest_sha256 != manifest.sha256:
            return work.adopt(committed)
        return Artifact(self.value, committed, work.store.location(committed.manifest.files[0].key), self.seconds)


@dataclass(frozen=True)
class Work:
    """One attempt of one step, and the place of its output, which is the same for every attempt.

    Args:
        store: where the output is committed.
        log: the event log, as this step writes and reads it.
        asset: asset key, parts joined by `/`.
        root_run: the run that was asked for.
        run: this attempt.
        identity: everything that the output depends on, as JSON.
        format: of the output's files.
        shown_on: asset on whose pages Dagster shows the facts of this work; empty: `asset`.
    """

    store: ObjectStore
    log: StepLog
    asset: str
    root_run: str
    run: str
    identity: Mapping[str, Any]
    format: Format
    where: Whereabouts = UNKNOWN
    shown_on: str = ""

    @property
    def asset_key(self) -> dg.AssetKey:
        """The asset that the facts of this work are about, as Dagster names it."""
        return dg.AssetKey((self.shown_on or self.asset).split("/"))

    @property
    def place(self) -> str:
        """`asset/root run/fingerprint of the identity`."""
        return f"{self.asset}/{self.root_run}/{compute_sha256(self.identity)[:16]}"

    def blocks(self, items: str, folder: str = "", hold_notices: bool = True, is_helped: bool = False) -> Blocks:
        """The blocks that attempts of this step have committed, for a step that takes long.

        Args:
            items: what is made, such as `trees`: it tells the facts of two kinds of items apart.
            folder: below the place; a step that makes two kinds of items needs one for the second.
            hold_notices: whether a notice waits for the items that are being made.
            is_helped: whether other runs may make some of the items.
        """

        def log_commit(committed: int, total: int) -> None:
            self.log.write_fact(committed_items(self.asset_key, items, committed, total))

        return Blocks(
            self.store,
            f"{self.place}/{folder}".rstrip("/"),
            items=items,
            hold_notices=hold_notices,
            is_helped=is_helped,
            on_commit=log_commit,
            log=self.log.write_message,
        )

    def adopt_or(self, compute: Callable[[], tuple[Any, Mapping[str, Any]]]) -> Artifact | Draft:
        """The artifact that is committed at this place, verified, or else a draft that is computed now.

        Args:
            compute: returns the value, and what is to be recorded about it.

        Raises:
            ArtifactError: what is committed is damaged, or no attempt of this root run announced it.
        """
        if committed := find_artifact(self.store, self.place):
            return self.adopt(committed)
        started = time.monotonic()
        value, facts = compute()
        return Draft(self, value, facts, time.monotonic() - started)

    def adopt(self, committed: Committed) -> Artifact:
        """An artifact that was found in the store, if an attempt of this root run created it.

        Raises:
            ArtifactError: a file is damaged, or no attempt of this root run announced the manifest.
        """
        refuse_unannounced(committed, self.log.read_runs(self.root_run), self.store.location(self.place))
        return load(self.store, committed, self.format)


class Checkpoints(dg.ConfigurableResource):
    """The object store that steps commit to. It is opened, and proven to be writable, before anything is computed.

    Opening it also tags the run with where it works: every process that computes a step opens the store, a step's own
    pod too, and Dagster has no other hook in that process that comes before the first step.
    """

    store_uri: str
    where: dg.ResourceDependency[Whereabouts] = cast("Any", UNKNOWN)

    _store: ObjectStore | None = None

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        self._store = open_store(self.store_uri)
        if context.instance and context.run:
            context.instance.add_run_tags(context.run.run_id, {ANNOUNCES: context.run.run_id})
            self.where.tag_run(context.instance, context.run.run_id)

    @property
    def store(self) -> ObjectStore:
        self._store = self._store or open_store(self.store_uri)
        return self._store

    def work(
        self,
        context: dg.AssetExecutionContext,
        asset: str,
        *,
        part: str | None = None,
        shown_on: str = "",
        **inputs: Any,
    ) -> Work:
        """This step's attempt at one of its assets, or at a part of it.

        Args:
            asset: the whole asset key, parts joined by `/`.
            part: format of a part that is committed by itself, for a step that commits many; `inputs` say which one.
            shown_on: asset on whose pages Dagster shows the facts of a part; empty: `asset`.
            inputs: what the step is given beside its config, as JSON: digests of upstream artifacts and of settings.

        Raises:
            ArtifactError: the step does not make this asset.
        """
        key = dg.AssetKey(asset.split("/"))
        if key not in context.assets_def.specs_by_key:
            made = ", ".join(sorted(each.to_user_string() for each in context.assets_def.specs_by_key))
            raise ArtifactError(f"step {context.op_execution_context.op.name} makes {made}, and not {asset}")
        spec = context.assets_def.specs_by_key[key]
        format = FORMATS[part or str(spec.metadata["format"])]
        partition = {"partition": context.partition_key} if context.has_partition_key else {}
        return Work(
            store=self.store,
            log=DagsterStepLog(context),
            asset=asset,
            root_run=context.run.root_run_id or context.run.run_id,
            run=context.run.run_id,
            identity={
                "code": spec.code_version,
                "config": context.op_execution_context.op_config,
                "inputs": inputs,
                "format": format.version,
                "libraries": library_versions(),
                **partition,
            },
            format=format,
            where=self.where,
            shown_on=shown_on,
        )

    def logged(self, place: str, manifest_sha256: str, format: Format) -> Artifact:
        """The artifact that the event log names, verified down to its bytes."""
        return load(self.store, read_manifest(self.store, place, manifest_sha256), format)


def load(store: ObjectStore, committed: Committed, format: Format) -> Artifact:
    """A committed artifact with its value.

    Raises:
        ArtifactError: a file is damaged, or the artifact was written in another format or version than is read here.
    """
    manifest = committed.manifest
    if (manifest.format, manifest.format_version) != (format.name, format.version):
        raise ArtifactError(
            f"{store.location(committed.place)} is of format {manifest.format} {manifest.format_version}; this release "
            f"reads {format.name} {format.version}. {REMEDY}"
        )
    value = format.decode({file.name: read_file(store, file) for file in manifest.files})
    return Artifact(value, committed, store.location(manifest.files[0].key))
