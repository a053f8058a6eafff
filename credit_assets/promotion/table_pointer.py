"""The pointer of one table: its positions lie in `promoted_model/<table>/`, and name sets of that table only.

A table whose name has other characters than letters, digits and `_` has a folder with a name of its own (`make_key`).

Releases before kept the positions of all tables in `promoted_model/` itself. They stay readable: a table's pointer
continues there until its own folder holds a position.
"""

from collections.abc import Callable, Mapping
from typing import Any

from credit_assets.settings.names import is_plain, make_key
from resources.store.object_store import ObjectStore
from resources.store.pointers.pointer import Pointer, PositionForeign
from resources.store.pointers.positions import PositionMissing, Positions

POINTER = "promoted_model"  # the asset's key, and the folder of all pointers


def open_pointer(store: ObjectStore, table: str) -> Pointer:
    """The pointer of a table, named as in the settings: `loans` or `public.loans`."""
    return Pointer(store, f"{POINTER}/{make_key(table)}", POINTER, object_to_other_tables(table))


def list_tables(store: ObjectStore) -> set[str]:
    """The tables whose pointers have a folder of their own.

    Raises:
        PointerError: a position is missing, was changed, or belongs to another folder.
        StoreError: the store can't be read.
    """
    folders = {key.split("/")[1] for key in store.list_keys(POINTER) if key.count("/") > 1}
    return {_find_table(store, folder) for folder in folders}


def _find_table(store: ObjectStore, folder: str) -> str:
    if is_plain(folder):
        return folder
    positions = Positions(store, f"{POINTER}/{folder}")
    numbers = positions.list_numbers()
    position = positions.find(numbers[-1]) if numbers else None
    if position is None:
        raise PositionMissing(f"{store.location(positions.folder)} holds no position: see what wrote there")
    if make_key(table := position.value["table"]) != folder:
        raise PositionForeign(f"{store.location(position.key)} names a model of table {table}: see what wrote it there")
    return table


def object_to_other_tables(table: str) -> Callable[[Mapping[str, Any]], str | None]:
    """Says of a position's value why it does not belong to this table; None if it does."""

    def object_to(value: Mapping[str, Any]) -> str | None:
        if value["table"] == table:
            return None
        return (
            f"names a model of table {value['table']}, not of {table}: "
            f"use the settings whose table.name is {value['table']}"
        )

    return object_to


def warn_of_overlooked(store: ObjectStore, table: str, warn: Callable[[str], None]) -> None:
    """Warns of each promotion that a worker of an older release made while this release was being installed."""
    for position in open_pointer(store, table).list_overlooked():
        warn(
            f"{store.location(position.key)} is not in use: a worker of an older release wrote it where this release "
            f"does not read. To use its model, promote root run {position.value['root_run']} by hand"
        )
