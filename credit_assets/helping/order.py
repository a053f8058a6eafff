"""The order of a training: what a helper needs to grow the same trees. It lies at the training's place in the store.

Belongs here: its form, and the tags by which runs ask for helpers. Does not belong here: what a helper does with it
(`helper_run`).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from resources.errors import PlatformError
from resources.store.artifacts import name_versions
from resources.store.object_store import ObjectMissing, ObjectStore
from resources.store.written_once import write_once

# Tag of a refresh that wants helpers: how many. Tag by which it tells where its order lies. A retry inherits both.
HELPERS, PLACE = "platform/helpers", "platform/training_place"
MOST_HELPERS = 15
ORDER_VERSION = 1


class HelpError(PlatformError):
    """A training can't be helped as it is asked for: says which value is wrong, and what to do."""


@dataclass(frozen=True)
class Order:
    """What one training is made from.

    Attributes:
        place: of the trained model; the blocks of its trees lie below it.
        dataset_place: of the dataset.
        dataset_manifest_sha256: of the dataset's manifest, in hex.
        settings: fingerprint of the settings.
        config: hyperparameters, as JSON.
        versions: of this platform and of the libraries, on which the bytes of a tree depend.
        order_version: of the order's form.
    """

    place: str
    dataset_place: str
    dataset_manifest_sha256: str
    settings: str
    config: Mapping[str, Any]
    versions: Mapping[str, str]
    order_version: int = ORDER_VERSION


def keep_order(store: ObjectStore, order: Order) -> None:
    """Writes the order of a training, unless an earlier attempt has.

    Raises:
        StoreError: the store is full, denied or away.
    """
    write_once(store, f"{order.place}/order.json", json.dumps(asdict(order), sort_keys=True).encode())


def read_order(store: ObjectStore, place: str) -> Order:
    """The order of the training that makes the model of this place.

    Raises:
        HelpError: there is none, or it was changed, or it is of another release.
    """
    key = f"{place}/order.json"
    try:
        order = Order(**json.loads(store.read(key)))
    except ObjectMissing:
        raise HelpError(
            f"place: {store.location(key)} does not exist. Name the place of a training that wants helpers"
        ) from None
    except (ValueError, TypeError):
        raise HelpError(f"{store.location(key)} can't be read as the order of a training: it was changed") from None
    if (order.order_version, order.versions) != (ORDER_VERSION, name_versions()):
        raise HelpError(
            f"{store.location(key)} is of other versions ({order.versions}) than this helper ({name_versions()}), and "
            "trees depend on them. Start helpers with the image of the training"
        )
    return order


def count_helpers(tags: Mapping[str, str]) -> int:
    """How many helpers a run wants, by its tag; 0 without the tag.

    Raises:
        HelpError: the tag is no number of helpers.
    """
    text = tags.get(HELPERS, "0")
    if not text.isdecimal() or int(text) > MOST_HELPERS:
        raise HelpError(f"tag {HELPERS} is {text!r}: expected a whole number from 0 to {MOST_HELPERS}")
    return int(text)
