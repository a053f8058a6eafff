"""The model that a wave scores with: a promoted one, verified before it is loaded.

Belongs here: from the pointer to a function that scores. Does not belong here: what may be promoted
(`credit_assets.promotion`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from credit_assets.loans.columns import select_features
from credit_assets.promotion.model_set import MODEL, describe_difference, read_set, refuse_set_of_other_target
from credit_assets.promotion.table_pointer import open_pointer
from credit_assets.settings.file import Settings
from resources.errors import PlatformError
from resources.store.checkpoints import load
from resources.store.formats import FORMATS
from resources.store.object_store import ObjectStore
from resources.store.pointers.positions import Position

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


class OtherFeatures(PlatformError):
    """The model in use learned from other columns than the settings declare, so it can't score these rows."""


@dataclass(frozen=True)
class ModelInUse:
    """A promoted model.

    Attributes:
        number: of its promotion.
        sha256: of its file, in hex.
    """

    number: int
    sha256: str


def find_model(store: ObjectStore, table: str) -> ModelInUse:
    """The model in use of a table of loans.

    Raises:
        PointerEmpty: nothing was promoted yet.
        PointerError: the pointer was damaged.
    """
    return _describe(open_pointer(store, table).latest())


def load_predict(store: ObjectStore, settings: Settings, number: int) -> "Callable[[pa.Table], np.ndarray]":
    """Loads a promoted model: a function from applications to the probability of a default of each.

    The pointer names the manifest by its digest, and the manifest names the file by its own. Both are verified before
    the file is loaded, because loading executes code (docs/trust.md).

    Args:
        store: where models lie.
        settings: name the table and the features.
        number: of the promotion.

    Raises:
        OtherFeatures: the model was made from other columns than the settings declare.
        OtherTarget: the model was made for another outcome than the settings declare.
        ArtifactError: the model, or its manifest, was changed or deleted.
        PointerError: the promotion is not there, or was changed.
    """
    position = open_pointer(store, settings.table.name).at(number)
    parts = read_set(store, position)
    refuse_set_of_other_target(parts, settings)
    if difference := describe_difference(parts, settings):
        raise OtherFeatures(
            f"promotion {number} was made from other columns than the settings declare: {difference}. Materialize all "
            "assets of the group credit with these settings, or promote a model that was made from these columns"
        )
    pipeline = load(store, parts[MODEL], FORMATS["joblib"]).value

    def predict(applications: "pa.Table") -> "np.ndarray":
        return pipeline.predict_proba(select_features(applications, settings))[:, 1]

    return predict


def _describe(position: Position) -> ModelInUse:
    return ModelInUse(position.number, position.value["set"][MODEL]["sha256"])
