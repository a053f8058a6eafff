"""Checkpoints: where a step's outputs lie, and whether they are committed already.

A retry has another run id but the same root run, and derives the same place from the same code version, config, inputs
and library versions. So it finds what an earlier attempt committed and adopts it instead of computing again; a retry
that was given other code or config derives another place and computes.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, cast

import dagster as dg

from resources.history.whereabouts import UNKNOWN, Whereabouts
from resources.store.artifacts import (
    DISTRIBUTION,
    REMEDY,
    ArtifactError,
    Committed,
    Manifest,
    commit,
    find,
    library_versions,
    read_file,
    read_manifest,
    store_file,
)
from resources.store.blocks import Blocks
from resources.store.formats import FORMATS, Format
from resources.store.object_store import ObjectStore, open_store
from resources.store.written_once import compute_sha256


@dataclass(frozen=True)
class Artifact:
    """What is committed, with its value: verified if it was loaded, as computed if it was committed just now.

    Args:
        value: what the format of the output reads and writes.
        committed: manifest and digest of what lies in the store.
        location: URI of its first file.
        seconds: what computing it took; 0 if it was adopted or loaded.
    """

    value: Any
    committed: Committed
    location: str
    seconds: float = 0.0

    @property
    def facts(self) -> Mapping[str, Any]:
        """What its producer pinned about it, as JSON."""
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
        """Writes the files, then the manifest. If another attempt was first, what that one committed stands."""
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
            versions={DISTRIBUTION: version(DISTRIBUTION)} | library_versions(),
            where=work.where.to_manifest(),
        )
        committed = commit(work.store, work.place, manifest)
        if committed.manifest.run != work.run:
            return load(work.store, committed, work.format)
        return Artifact(self.value, committed, work.store.location(committed.manifest.files[0].key), self.seconds)


@dataclass(frozen=True)
class Work:
    """One step's attempt, and where its output lies whoever attempts it."""

    store: ObjectStore
    asset: str
    root_run: str
    run: str
    identity: Mapping[str, Any]
    format: Format
    where: Whereabouts = UNKNOWN

    @property
    def place(self) -> str:
        """`asset/root run/fingerprint of the identity`."""
        return f"{self.asset}/{self.root_run}/{compute_sha256(self.identity)[:16]}"

    def blocks(self, tell: Callable[[str], None], at_once: int = 1) -> Blocks:
        """What attempts at this work have made of it, for one that takes long.

        Args:
            tell: hears of each block.
            at_once: items that are made side by side.
        """
        return Blocks(self.store, self.place, at_once=at_once, tell=tell)

    def adopt_or(self, compute: Callable[[], tuple[Any, Mapping[str, Any]]]) -> Artifact | Draft:
        """What is committed at this place, verified, or else a value and its facts computed now."""
        if committed := find(self.store, self.place):
            return load(self.store, committed, self.format)
        started = time.monotonic()
        value, facts = compute()
        return Draft(self, value, facts, time.monotonic() - started)


class Checkpoints(dg.ConfigurableResource):
    """The object store that steps commit to, opened and proven before anything is computed."""

    store_uri: str
    where: dg.ResourceDependency[Whereabouts] = cast("Any", UNKNOWN)

    _store: ObjectStore | None = None

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        self._store = open_store(self.store_uri)
        if context.instance and context.run:
            self.where.tag_run(context.instance, context.run.run_id)

    @property
    def store(self) -> ObjectStore:
        self._store = self._store or open_store(self.store_uri)
        return self._store

    def work(self, context: dg.AssetExecutionContext, output: str, **inputs: Any) -> Work:
        """Where the named output of this step lies.

        Args:
            inputs: what the step is given beside its config, as JSON: digests of upstream artifacts and of settings.
        """
        key = next(key for key in context.selected_asset_keys if key.path[-1] == output)
        spec = context.assets_def.specs_by_key[key]
        format = FORMATS[str(spec.metadata["format"])]
        partition = {"partition": context.partition_key} if context.has_partition_key else {}
        return Work(
            store=self.store,
            asset="/".join(key.path),
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
