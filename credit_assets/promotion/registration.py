"""Registration: a registry that speaks MLflow's API gets a version of every promoted model, the latest an alias.

The pointer decides what is promoted; the registry only repeats it. A registry that was away misses nothing: the next
run registers every promotion that it lacks, the oldest first.
"""

from collections import deque
from collections.abc import Callable, Sequence

from credit_assets.promotion.model_set import DATASET, MODEL
from credit_assets.promotion.table_pointer import open_pointer
from credit_assets.settings.names import make_key
from resources.services.registry import ALIAS, SETTING, Registry, RegistryError, Version
from resources.store.object_store import ObjectStore
from resources.store.pointers.positions import PointerError, Position

# MLflow's loaders want a folder with a file MLmodel. The store has one joblib file, written once, whose digest is the
# model's name everywhere: in positions, in lineage and in the event log.
NOTE = (
    "A note of a promotion. `mlflow.sklearn.load_model` can't load it, because its source is one joblib file without "
    'an MLmodel. The page "The model in use" of the platform\'s docs has the lines that load it and verify its sha256.'
)


def register_promotions(registry: Registry, store: ObjectStore, table: str, warn: Callable[[str], None]) -> str:
    """Registers every promotion of a table that the registry lacks, and sets the alias to the latest.

    A registry that is away or refuses raises nothing: the promotion stands.

    Args:
        warn: gets what went wrong.

    Returns:
        The outcome in a few words, for people.
    """
    if not registry.url:
        return f"none ({SETTING})"
    versions = _describe_history(store, table, warn)
    if not versions:
        return "nothing to register"
    try:
        version = registry.register(f"credit-default-{make_key(table).replace('.', '-')}", versions)
    except RegistryError as error:
        warn(f"{error}. The promotion stands; the next run registers what the registry lacks")
        return f"not registered: {error}"
    return f"version {version} is its {ALIAS}"


def describe_version(store: ObjectStore, position: Position) -> Version:
    """What the registry gets to know of a promotion."""
    value, model = position.value, position.value["set"][MODEL]
    tags = {
        "promotion": str(position.number),
        "root_run": value["root_run"],
        "sha256": model["sha256"],
        "loan_dataset_sha256": value["set"][DATASET]["sha256"],
    }
    return Version(store.location(model["key"]), tags, NOTE)


def _describe_history(store: ObjectStore, table: str, warn: Callable[[str], None]) -> Sequence[Version]:
    """A version for each position, the oldest first; what lies before a damaged one can't be read and is left out."""
    versions = deque[Version]()
    try:
        for position in open_pointer(store, table).history():
            versions.appendleft(describe_version(store, position))
    except PointerError as error:
        warn(f"{error}. Promotions before that are not registered")
    return versions
