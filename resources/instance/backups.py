"""Backups: dumps of databases in a store of their own, under the time they were taken at.

A backup is a folder `20261121T150000Z/` with a file for each database, whose name holds its digest, and a manifest. The
manifest is created last and makes the backup exist; it is deleted first.
`credit-platform backups keep FOLDER` brings the dumps of a folder to the store that PLATFORM_STORE names,
`credit-platform backups fetch FOLDER` brings a backup back. The chart's scripts make dumps of databases, and databases
of dumps, because their image has PostgreSQL's programs.
"""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from resources.deployment import Deployment
from resources.errors import PlatformError
from resources.store.artifacts import MANIFEST
from resources.store.object_store import SETTING, ObjectMissing, ObjectStore
from resources.store.opening import open_store
from resources.store.written_once import StoredFile, describe_file, measure_object, write_once

TAKEN_AT = "taken-at"
TIME = re.compile(r"\d{8}T\d{6}Z")
DUMP = re.compile(r"[^/]+\.dump")


class BackupError(PlatformError):
    """A backup can't be made or used: says which, and what to do."""


class BackupMissing(BackupError):
    """There is no complete backup, or not the one that was asked for."""


class BackupEmpty(BackupError):
    """There is a backup, or a folder to make one of, with nothing in it."""


class BackupDamaged(BackupError):
    """What lies in the store is not what was committed."""


@dataclass(frozen=True)
class Backup:
    """What a manifest says.

    Args:
        taken_at: UTC, `20261121T150000Z`; nothing that came later is in it.
        files: `<database>.dump` each.
    """

    taken_at: str
    files: Sequence[StoredFile]

    def __str__(self) -> str:
        return f"{self.taken_at}: " + ", ".join(f"{file.name} {file.bytes:,} bytes" for file in self.files)


def keep(store: ObjectStore, folder: Path) -> Backup:
    """Commits the dumps of a folder, with the time in its file `taken-at`, and reads back all of it.

    Raises:
        BackupMissing: the folder has no dump or no time.
        BackupEmpty: a dump has no bytes.
        BackupDamaged: the store gives back other bytes than it was given.
        BackupError: another backup was committed under this time.
        StoreError: the store can't be written to or read.
    """
    dumps = sorted(folder.glob("*.dump"))
    taken_at = (folder / TAKEN_AT).read_text().strip() if (folder / TAKEN_AT).exists() else ""
    if not dumps or not TIME.fullmatch(taken_at):
        raise BackupMissing(f"{folder}: expected dumps, and a UTC time as 20261121T150000Z in {TAKEN_AT}: dump again")
    files = [describe_file(taken_at, path.name, path) for path in dumps]
    _refuse_empty(files, folder)
    backup = Backup(taken_at, files)
    manifest = json.dumps(asdict(backup), indent=1, sort_keys=True).encode()
    for key, content, digest in (
        *((file.key, folder / file.name, file.digest) for file in files),
        (f"{taken_at}/{MANIFEST}", manifest, None),
    ):
        if not write_once(store, key, content, digest).created:
            raise BackupError(
                f"a backup of {taken_at} is being made or was made by another job: {store.location(key)} exists already"
            )
    for file in find(store, taken_at).files:
        _verify(store, file)
    return backup


def complete(store: ObjectStore) -> list[str]:
    """The times of all backups that have a manifest, the newest last."""
    named = (key.split("/") for key in store.list_keys())
    return [parts[0] for parts in named if TIME.fullmatch(parts[0]) and parts[1:] == [MANIFEST]]


def find(store: ObjectStore, taken_at: str = "") -> Backup:
    """The manifest of one backup, or of the newest.

    Raises:
        BackupMissing: there is none; names those that there are.
        BackupEmpty: it names no file, or one without bytes.
        BackupDamaged: the manifest can't be read.
    """
    there = complete(store)
    if not there:
        raise BackupMissing(
            f"{store.uri} holds no complete backup: check {SETTING} and that the backup's job succeeded"
        )
    place = taken_at or there[-1]
    if place not in there:
        raise BackupMissing(f"{store.uri} holds no complete backup {place!r}; there are {', '.join(there)}")
    try:
        fields = json.loads(store.read(f"{place}/{MANIFEST}"))
        backup = Backup(fields["taken_at"], [StoredFile(**file) for file in fields["files"]])
    except (ValueError, TypeError, KeyError):
        raise BackupDamaged(_damaged(store, f"{place}/{MANIFEST}", "it is no manifest")) from None
    if backup.taken_at != place or not all(DUMP.fullmatch(file.name) for file in backup.files):
        raise BackupDamaged(_damaged(store, f"{place}/{MANIFEST}", "it names another time, or files that are no dumps"))
    _refuse_empty(backup.files, store.location(place))
    return backup


def fetch(store: ObjectStore, folder: Path, taken_at: str = "") -> Backup:
    """Brings one backup, or the newest, into a folder; what is there afterwards is what was committed.

    Raises:
        BackupMissing, BackupEmpty, BackupDamaged: as `find`, or a file is not there or has other bytes.
        StoreError: the store can't be read.
    """
    backup = find(store, taken_at)
    try:
        for file in backup.files:
            _verify(store, file, folder / file.name)
    except BackupDamaged:
        for file in backup.files:
            (folder / file.name).unlink(missing_ok=True)
        raise
    return backup


def prune(store: ObjectStore, newest: int) -> list[str]:
    """Deletes what is older than the newest so many complete backups, left-overs of failed ones among it.

    A manifest goes first: a backup that is only half deleted doesn't exist.

    Returns:
        The times that are left, the newest last.
    """
    if newest < 1:
        raise ValueError(f"keep {newest} backups: expected at least 1")
    kept = complete(store)[-newest:]
    old = [key for key in store.list_keys() if TIME.match(key) and kept and key.split("/")[0] < kept[0]]
    for key in sorted(old, key=lambda key: not key.endswith(f"/{MANIFEST}")):
        store.delete(key)
    return kept


def keep_dumps(deployment: Deployment, folder: Path, newest: int) -> None:
    """Keeps the dumps of a folder in the deployment's store, then deletes old backups, and prints what is left.

    Raises:
        DeploymentError, BackupError, StoreError: the backup is not kept, or not verified.
    """
    store = open_store(deployment.require("store"))
    print(f"kept {keep(store, folder)}")
    print(_listed(store, prune(store, newest)))


def fetch_dumps(deployment: Deployment, folder: Path, taken_at: str) -> None:
    """Fetches a backup from the deployment's store into a folder, the newest if no time is given.

    Raises:
        DeploymentError, BackupError, StoreError: the backup is not fetched, or not verified.
    """
    store = open_store(deployment.require("store"))
    kept = complete(store)
    print(f"fetched {fetch(store, folder, taken_at)}")
    print(_listed(store, kept))


def _listed(store: ObjectStore, kept: Sequence[str]) -> str:
    return f"{len(kept)} complete in {store.uri}: {' '.join(kept)}"


def _refuse_empty(files: Sequence[StoredFile], where: Path | str) -> None:
    empty = [file.name for file in files if not file.bytes]
    if empty or not files:
        raise BackupEmpty(f"{where}: {', '.join(empty) or 'the backup'} is empty; there is nothing to restore from it")


def _verify(store: ObjectStore, file: StoredFile, path: Path | None = None) -> None:
    """Reads a file of the store, into a path if there is one."""
    with Path(path or os.devnull).open("wb") as copy:
        try:
            found = measure_object(store, file.key, copy)
        except ObjectMissing:
            raise BackupDamaged(_damaged(store, file.key, "it was deleted")) from None
    if found.sha256 != file.sha256:
        difference = (
            f"expected {file.bytes} bytes with sha256 {file.sha256[:12]}…, found {found.bytes}, {found.sha256[:12]}…"
        )
        raise BackupDamaged(_damaged(store, file.key, difference))


def _damaged(store: ObjectStore, key: str, how: str) -> str:
    return f"{store.location(key)} is not what was committed: {how}. Name an older backup in PLATFORM_BACKUP"
