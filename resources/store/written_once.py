"""The one way to write an object: create it once, and know its SHA-256.

Belongs here: digests of bytes, files and objects, and the attempt to create an object that may be there already. Does
not belong here: what an object means (`artifacts`, `blocks`, `pointer`), and requests to the store (`object_store`).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from resources.store.object_store import ObjectExists, ObjectStore


@dataclass(frozen=True)
class Digest:
    """What identifies bytes: their SHA-256 in hex, as `sha256sum` prints it, and their number."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class StoredFile:
    """One file in a store: its plain name, its key (which holds the digest), SHA-256 in hex and size in bytes."""

    name: str
    key: str
    sha256: str
    bytes: int

    @property
    def digest(self) -> Digest:
        """What its bytes must have."""
        return Digest(self.sha256, self.bytes)


@dataclass(frozen=True)
class Written:
    """The outcome of `write_once`: the object exists now, and exactly one writer created it.

    Args:
        store: where the object lies.
        key: its key.
        digest: of the bytes that this writer brought.
        created: True if this writer created the object; False if another writer was first, whose bytes stand.
    """

    store: ObjectStore
    key: str
    digest: Digest
    created: bool

    def read(self) -> bytes:
        """The bytes of whoever was first, not verified. Raises ObjectMissing if they were deleted since."""
        return self.store.read(self.key)

    def is_ours(self) -> bool:
        """Whether the object has the bytes that this writer brought; reads it unless this writer created it."""
        return self.created or measure_object(self.store, self.key) == self.digest


def write_once(store: ObjectStore, key: str, content: bytes | Path, digest: Digest | None = None) -> Written:
    """Creates an object, or finds that another writer was first; never overwrites.

    Args:
        content: bytes, or a file on this machine.
        digest: of the content, if it is known already: a large file is then not read twice.

    Raises:
        StoreError: the store is full, read-only, denied or away.
    """
    digest = digest or measure_content(content)
    try:
        store.create(key, content)
    except ObjectExists:
        return Written(store, key, digest, created=False)
    return Written(store, key, digest, created=True)


def describe_file(folder: str, name: str, content: bytes | Path) -> StoredFile:
    """A file under the key that `write_once` gives it: `<folder>/<stem>.<12 digits of its SHA-256>.<suffix>`."""
    digest, plain = measure_content(content), PurePosixPath(name)
    key = f"{folder}/{plain.stem}.{digest.sha256[:12]}{plain.suffix}"
    return StoredFile(name, key, digest.sha256, digest.bytes)


def compute_sha256(value: bytes | Mapping[str, Any]) -> str:
    """SHA-256 in hex, of bytes or of canonical JSON."""
    data = value if isinstance(value, bytes) else json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(data).hexdigest()


def measure_content(content: bytes | Path) -> Digest:
    """The digest of bytes, or of a file of any size."""
    if isinstance(content, bytes):
        return Digest(compute_sha256(content), len(content))
    with content.open("rb") as opened:
        return Digest(hashlib.file_digest(opened, "sha256").hexdigest(), content.stat().st_size)


def measure_object(store: ObjectStore, key: str, copy: BinaryIO | None = None) -> Digest:
    """The digest of an object of any size, read a piece at a time.

    Args:
        copy: where the bytes go as they are read.

    Raises:
        ObjectMissing: there is none.
        StoreError: the store can't be read.
    """
    size, found = 0, hashlib.sha256()
    for piece in store.pieces(key):
        size += len(piece)
        found.update(piece)
        if copy:
            copy.write(piece)
    return Digest(found.hexdigest(), size)
