"""What a backup is: a folder of a store, `20261121T150000Z/`, whose manifest names a dump of each database.

Belongs here: the manifest, which backups there are, and what is wrong with one. Does not belong here: how dumps come
and go (resources/instance/backups.py).
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from resources.errors import PlatformError
from resources.store.artifacts import MANIFEST
from resources.store.object_store import SETTING, ObjectStore
from resources.store.written_once import StoredFile

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
        raise BackupDamaged(describe_damage(store, f"{place}/{MANIFEST}", "it is no manifest")) from None
    if backup.taken_at != place or not all(DUMP.fullmatch(file.name) for file in backup.files):
        raise BackupDamaged(
            describe_damage(store, f"{place}/{MANIFEST}", "it names another time, or files that are no dumps")
        )
    refuse_empty(backup.files, store.location(place))
    return backup


def refuse_empty(files: Sequence[StoredFile], where: Path | str) -> None:
    """A backup has at least one dump, and no dump without bytes.

    Args:
        files: its dumps.
        where: where they lie, for the error.

    Raises:
        BackupEmpty: it has none, or one is empty.
    """
    empty = [file.name for file in files if not file.bytes]
    if empty or not files:
        raise BackupEmpty(f"{where}: {', '.join(empty) or 'the backup'} is empty; there is nothing to restore from it")


def describe_damage(store: ObjectStore, key: str, how: str) -> str:
    """What a person reads of an object that has changed: which, how, and what to do."""
    return f"{store.location(key)} is not what was committed: {how}. Name an older backup in PLATFORM_BACKUP"
