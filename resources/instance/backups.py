"""Dumps of databases on their way to a store and back, verified to the last byte.

A backup's files hold their digest in their names. The manifest is created last and makes the backup exist; it is
deleted first. `credit-platform backups` is the command. The chart's scripts make dumps of databases, and databases of
dumps, because their image has PostgreSQL's programs.

Belongs here: how dumps come and go. Does not belong here: what a backup is (resources/instance/backup_manifest.py).
"""

import json
import os
from dataclasses import asdict
from pathlib import Path

from resources.instance.backup_manifest import (
    TIME,
    Backup,
    BackupDamaged,
    BackupError,
    BackupMissing,
    complete,
    describe_damage,
    find,
    refuse_empty,
)
from resources.store.artifacts import MANIFEST
from resources.store.object_store import ObjectMissing, ObjectStore
from resources.store.written_once import StoredFile, describe_file, measure_object, write_once

TAKEN_AT = "taken-at"


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
    refuse_empty(files, folder)
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


def _verify(store: ObjectStore, file: StoredFile, path: Path | None = None) -> None:
    """Reads a file of the store, into a path if there is one."""
    with Path(path or os.devnull).open("wb") as copy:
        try:
            found = measure_object(store, file.key, copy)
        except ObjectMissing:
            raise BackupDamaged(describe_damage(store, file.key, "it was deleted")) from None
    if found.sha256 != file.sha256:
        difference = (
            f"expected {file.bytes} bytes with sha256 {file.sha256[:12]}…, found {found.bytes}, {found.sha256[:12]}…"
        )
        raise BackupDamaged(describe_damage(store, file.key, difference))
