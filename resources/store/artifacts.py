"""Artifacts: the output of a step, committed once and verified whenever it is read.

An artifact is a place in the store with one or more files and a manifest. The files are written first, under names that
hold their digest. The manifest is created last and makes the artifact exist. If two attempts write the same place, the
one that creates the manifest has committed, and the other takes over what was committed.

Belongs here: manifests, and the files that they name. Does not belong here: how a value becomes files (`formats`), and
where a step's place is (`checkpoints`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any, NoReturn

from resources.errors import PlatformError
from resources.store.object_store import SETTING, ObjectMissing, ObjectStore
from resources.store.written_once import (
    Digest,
    StoredFile,
    compute_sha256,
    describe_file,
    measure_content,
    measure_object,
    write_once,
)

MANIFEST = "manifest.json"
MANIFEST_VERSION = 2  # 2 added `where`
READABLE = (1, 2)
DISTRIBUTION = "credit-default-platform"
LIBRARIES = ("scikit-learn", "numpy", "pandas", "pyarrow", "joblib")


class ArtifactError(PlatformError):
    """An artifact is missing, damaged, or in a format that this release does not read: says which, and what to do."""


@dataclass(frozen=True)
class Manifest:
    """What makes an artifact exist: it lies beside the artifact's files.

    Args:
        asset: asset key, parts joined by `/`.
        root_run: the run that was asked for; its retries have other ids and the same root.
        run: the run that committed.
        identity: everything that the place is derived from: code version, config, inputs, library versions.
        format: name of the format that wrote the files.
        format_version: version of that format.
        files: at least one; the first is the one that people ask for.
        facts: what the step recorded about its output, as JSON: row counts, digests, parameters.
        versions: Python and the libraries that wrote it.
        where: image (by digest) and node that it was made on, as far as they are known.
        committed_at: UTC, ISO 8601.
        manifest_version: of the manifest itself.
    """

    asset: str
    root_run: str
    run: str
    identity: Mapping[str, Any]
    format: str
    format_version: int
    files: Sequence[StoredFile]
    facts: Mapping[str, Any]
    versions: Mapping[str, str]
    where: Mapping[str, str] = field(default_factory=dict)
    committed_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    manifest_version: int = MANIFEST_VERSION

    def to_bytes(self) -> bytes:
        return self._content

    @cached_property
    def _content(self) -> bytes:
        """Made once: a manifest is written, announced and compared, and may hold facts of a hundred locations."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        described = {name: value for name, value in values.items() if value or name != "where"}
        described["files"] = [asdict(file) for file in self.files]
        return json.dumps(described, indent=1, sort_keys=True).encode()

    @cached_property
    def sha256(self) -> str:
        """SHA-256 in hex of its bytes, by which the event log names it."""
        return compute_sha256(self.to_bytes())

    @classmethod
    def from_bytes(cls, data: bytes, location: str) -> "Manifest":
        """A manifest from its bytes. Raises ArtifactError if they are none, or one of another version.

        Args:
            data: the bytes.
            location: URI of the place, for the error.
        """
        try:
            content = json.loads(data)
            found = content["manifest_version"]
            if found in READABLE:
                return cls(**content | {"files": [StoredFile(**file) for file in content["files"]]})
        except (ValueError, TypeError, KeyError):
            raise ArtifactError(
                f"{location}/{MANIFEST} can't be read as a manifest: it was changed. {REMEDY}"
            ) from None
        raise ArtifactError(
            f"{location}/{MANIFEST} has manifest version {found}; this release reads "
            f"{' and '.join(map(str, READABLE))}. {REMEDY}"
        )


REMEDY = "Materialize the asset again, or read it with the release that wrote it"


@dataclass(frozen=True)
class Committed:
    """A manifest at its place, with the SHA-256 of its bytes, by which the event log names it."""

    place: str
    manifest: Manifest
    manifest_sha256: str

    @property
    def sha256(self) -> str:
        """Digest of the artifact's first file, as `sha256sum` prints it."""
        return self.manifest.files[0].sha256


@cache
def library_versions() -> Mapping[str, str]:
    """Versions that an artifact's bytes depend on, by distribution name."""
    return {"python": python_version()} | {name: version(name) for name in LIBRARIES}


@cache
def name_versions() -> Mapping[str, str]:
    """The versions of this platform and of everything that an artifact's bytes depend on, by distribution name."""
    return {DISTRIBUTION: version(DISTRIBUTION), **library_versions()}


def store_file(store: ObjectStore, place: str, name: str, content: bytes | Path) -> StoredFile:
    """Writes one file under a key that holds its digest; a second write of the same bytes changes nothing.

    Raises:
        ArtifactError: other bytes lie under that key.
    """
    file = describe_file(place, name, content)
    if not write_once(store, file.key, content, file.digest).created:
        verify_file(store, file)
    return file


def commit(store: ObjectStore, place: str, manifest: Manifest) -> Committed:
    """Makes the artifact exist. If another writer was first, returns the artifact that it committed."""
    written = write_once(store, f"{place}/{MANIFEST}", manifest.to_bytes())
    if written.created:
        return Committed(place, manifest, written.digest.sha256)
    return find_artifact(store, place) or _raise_manifest_gone(store, place)


def find_artifact(store: ObjectStore, place: str) -> Committed | None:
    """The artifact at this place; None if there is none. Files without a manifest are no artifact."""
    try:
        data = store.read(f"{place}/{MANIFEST}")
    except ObjectMissing:
        return None
    return Committed(place, Manifest.from_bytes(data, store.location(place)), compute_sha256(data))


def read_manifest(
    store: ObjectStore, place: str, manifest_sha256: str, *, named_by: str = "the event log", remedy: str = REMEDY
) -> Committed:
    """The manifest that the event log names, and no other.

    Args:
        named_by: what names it if it is not the event log, for the error.
        remedy: what to do about a manifest that was changed or deleted, for the error.

    Raises:
        ArtifactError: it was deleted, or its bytes are not those that were logged.
    """
    try:
        data = store.read(f"{place}/{MANIFEST}")
    except ObjectMissing:
        _raise_manifest_gone(store, place, remedy)
    if (found := compute_sha256(data)) != manifest_sha256:
        raise ArtifactError(
            f"{store.location(place)}/{MANIFEST} was changed after it was written: its sha256 is "
            f"{found[:12]}…, {named_by} holds {manifest_sha256[:12]}…. {remedy}"
        )
    return Committed(place, Manifest.from_bytes(data, store.location(place)), manifest_sha256)


def read_file(store: ObjectStore, file: StoredFile) -> bytes:
    """The bytes of one file, only if they are the bytes that were committed.

    Raises:
        ArtifactError: it was deleted, truncated or changed after it was written.
    """
    try:
        data = store.read(file.key)
    except ObjectMissing:
        _raise_file_gone(store, file)
    _refuse_other_bytes(store, file, measure_content(data))
    return data


def verify_file(store: ObjectStore, file: StoredFile) -> None:
    """Reads one file of any size a piece at a time, and raises as `read_file` unless it is what was committed."""
    try:
        found = measure_object(store, file.key)
    except ObjectMissing:
        _raise_file_gone(store, file)
    _refuse_other_bytes(store, file, found)


def verify_presence(store: ObjectStore, place: str, files: Sequence[StoredFile]) -> None:
    """Raises ArtifactError unless each of these files of one place is there with its size. It reads no file."""
    sizes = {each.key: each.bytes for each in store.list_objects(place)}
    for file in files:
        if file.key not in sizes:
            _raise_file_gone(store, file)
        if sizes[file.key] != file.bytes:
            raise ArtifactError(
                f"{store.location(file.key)} was truncated or extended after it was written: expected {file.bytes} "
                f"bytes, found {sizes[file.key]}. {REMEDY}"
            )


def _refuse_other_bytes(store: ObjectStore, file: StoredFile, found: Digest) -> None:
    if found.sha256 != file.sha256:
        change = "truncated or extended" if found.bytes != file.bytes else "changed"
        raise ArtifactError(
            f"{store.location(file.key)} was {change} after it was written: expected {file.bytes} bytes with sha256 "
            f"{file.sha256[:12]}…, found {found.bytes} bytes with {found.sha256[:12]}…. {REMEDY}"
        )


def _raise_file_gone(store: ObjectStore, file: StoredFile) -> NoReturn:
    raise ArtifactError(f"{store.location(file.key)} was deleted after it was written. {REMEDY}") from None


def _raise_manifest_gone(store: ObjectStore, place: str, remedy: str = REMEDY) -> NoReturn:
    raise ArtifactError(
        f"{store.location(place)}/{MANIFEST} is not there: it was deleted after it was written, or {SETTING} names "
        f"another store now. {remedy}"
    ) from None
