"""Keeps and fetches the dumps of databases in the store of a deployment, and prints which backups are there."""

from collections.abc import Sequence
from pathlib import Path

from resources.deployment import Deployment
from resources.instance.backup_manifest import complete
from resources.instance.backups import fetch, keep, prune
from resources.store.object_store import ObjectStore
from resources.store.opening import open_store


def keep_dumps(deployment: Deployment, folder: Path, newest: int) -> None:
    """Keeps the dumps of a folder in the deployment's store, then deletes old backups, and prints what is left.

    Raises:
        DeploymentError, BackupError, StoreError: the backup is not kept, or not verified.
    """
    store = open_store(deployment.require("store"))
    print(f"kept {keep(store, folder)}")
    print(list_backups(store, prune(store, newest)))


def fetch_dumps(deployment: Deployment, folder: Path, taken_at: str) -> None:
    """Fetches a backup from the deployment's store into a folder, the newest if no time is given.

    Raises:
        DeploymentError, BackupError, StoreError: the backup is not fetched, or not verified.
    """
    store = open_store(deployment.require("store"))
    kept = complete(store)
    print(f"fetched {fetch(store, folder, taken_at)}")
    print(list_backups(store, kept))


def list_backups(store: ObjectStore, kept: Sequence[str]) -> str:
    """The complete backups of a store, in a line."""
    return f"{len(kept)} complete in {store.uri}: {' '.join(kept)}"
