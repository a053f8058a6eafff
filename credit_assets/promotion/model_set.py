"""A model set: dataset, split, model and metrics of one root run, which are read together or not at all.

Belongs here: how a set is named, found, read and verified. Does not belong here: whether it is promoted (`rule`).
"""

from collections.abc import Mapping
from typing import Any

from credit_assets.loans.table import describe_other_columns
from credit_assets.promotion.table_pointer import open_pointer
from credit_assets.settings.file import Settings
from credit_assets.settings.learning.target import refuse_other_target
from resources.errors import PlatformError
from resources.store.artifacts import MANIFEST, Committed, find_artifact, read_file, read_manifest, verify_file
from resources.store.formats import FORMATS
from resources.store.object_store import ObjectStore
from resources.store.pointers.pointer import PointerEmpty
from resources.store.pointers.positions import Position
from resources.store.written_once import compute_sha256

DATASET, SPLIT, MODEL, METRICS = PARTS = ("loan_dataset", "test_split", "trained_model", "model_metrics")
OTHER_TABLE = "If it is of another table with this name, use another PLATFORM_STORE for one of the two"
RESTORE = (
    "A new run does not restore a promoted set: bring it back from the bucket's versions or a copy, or promote another"
)
OTHER_OUTCOME = (
    "Give [target] the values of the set; or materialize all assets of the group credit with these settings, and "
    "promote the new set by hand"
)
FIGURES = ("roc_auc", "gini", "ks", "brier", "accuracy", "precision", "recall", "f1")


class MixtureError(PlatformError, ValueError):
    """Parts that are not of one root run, or were not made from each other."""


class OtherTable(PlatformError, ValueError):
    """A set that was made from another table than that of the settings."""


class OtherColumns(PlatformError, ValueError):
    """A set that was made from other columns than the settings declare."""


class NoSuchSet(PlatformError, ValueError):
    """A set that a person asked for is not there, or not whole."""


def refuse_mixtures(parts: Mapping[str, Committed]) -> None:
    """Raises MixtureError unless the four are of one root run and were made from each other."""
    roots = {name: parts[name].manifest.root_run for name in PARTS}
    facts = {name: parts[name].manifest.facts for name in PARTS}
    wrong = [f"{name} is of root run {root}" for name, root in roots.items() if root != roots[DATASET]]
    if wrong:
        wrong.insert(0, f"{DATASET} is of root run {roots[DATASET]}")
    made_from = [(SPLIT, DATASET), (MODEL, DATASET), (MODEL, SPLIT), (METRICS, MODEL), (METRICS, SPLIT)]
    wrong += [
        f"{name} was made from {source} {facts[name][f'{source}_sha256'][:12]}…, not {parts[source].sha256[:12]}…"
        for name, source in made_from
        if facts[name][f"{source}_sha256"] != parts[source].sha256
    ]
    if wrong:
        raise MixtureError(
            f"what is promoted together is made together: {'; '.join(wrong)}. Materialize all of it in one run "
            "(the job refresh)"
        )


def refuse_other_table(parts: Mapping[str, Committed], table: str) -> None:
    """Raises OtherTable unless the set was made from this table, named as in the settings."""
    own = parts[DATASET].manifest.facts["table"]
    if own != table:
        raise OtherTable(
            f"the set of root run {parts[DATASET].manifest.root_run} was made from table {own}, and the settings are "
            f"for table {table}: promote it with the settings whose table.name is {own}, or materialize {table} first"
        )


def describe_difference(parts: Mapping[str, Committed], settings: Settings) -> str | None:
    """Which columns of a set are not those of the settings; None if they are the same, or were not recorded."""
    schema = parts[DATASET].manifest.facts.get("schema")
    features = parts[MODEL].manifest.facts.get("features")
    return describe_other_columns(schema, features, settings) if schema and features else None


def refuse_other_columns(parts: Mapping[str, Committed], settings: Settings) -> None:
    """Raises OtherColumns unless the set was made from the columns that the settings declare."""
    if difference := describe_difference(parts, settings):
        raise OtherColumns(
            f"the set of root run {parts[DATASET].manifest.root_run} was made from other columns than the settings "
            f"declare: {difference}. {OTHER_TABLE}. If it is an earlier set of this table, promote it with "
            "accept_other_columns"
        )


def refuse_set_of_other_target(parts: Mapping[str, Committed], settings: Settings) -> None:
    """Raises OtherTarget unless the set was made for the outcome that the settings declare, or records none."""
    manifest = parts[DATASET].manifest
    what = f"the set of root run {manifest.root_run}"
    refuse_other_target(what, manifest.facts, settings.target, OTHER_OUTCOME)


def describe_set(parts: Mapping[str, Committed]) -> dict[str, dict[str, str]]:
    """What the pointer names: for each asset place and digest of its manifest, key and digest of its file."""
    return {
        name: {
            "place": parts[name].place,
            "manifest_sha256": parts[name].manifest_sha256,
            "key": parts[name].manifest.files[0].key,
            "sha256": parts[name].sha256,
        }
        for name in PARTS
    }


def compute_set_digest(position: Position) -> str:
    """One SHA-256 for all that a position names: the data version of the promoted model."""
    return compute_sha256(position.value["set"])


def read_set(store: ObjectStore, position: Position) -> dict[str, Committed]:
    """The manifests that a position names, by asset. Raises ArtifactError if one was changed or deleted."""
    names, by = position.value["set"], f"promotion {position.number}"
    return {
        part: read_manifest(store, names[part]["place"], names[part]["manifest_sha256"], named_by=by, remedy=RESTORE)
        for part in PARTS
    }


def find_dataset_in_use(store: ObjectStore, table: str) -> tuple[int, Committed] | None:
    """The number of the newest promotion, and the dataset that its model was made from; None if nothing was promoted.

    Raises:
        ArtifactError: its manifest was changed or deleted.
        PointerError: the pointer was damaged.
    """
    try:
        position = open_pointer(store, table).latest()
    except PointerEmpty:
        return None
    return position.number, read_set(store, position)[DATASET]


def find_set(store: ObjectStore, root_run: str) -> dict[str, Committed]:
    """The set that a root run and its retries committed: its newest metrics, and what these were measured on.

    Raises:
        NoSuchSet: one of the four was never committed.
    """
    found = {name: _find_part(store, name, root_run) for name in PARTS}
    metrics = max(found[METRICS], key=lambda each: each.manifest.committed_at)
    wanted = {METRICS: metrics.sha256, **_read_sources(metrics)}
    for model in found[MODEL]:
        if model.sha256 == wanted[MODEL]:
            wanted |= _read_sources(model)
    chosen = {name: [each for each in found[name] if each.sha256 == wanted.get(name)] for name in PARTS}
    if lacking := [name for name in PARTS if not chosen[name]]:
        raise NoSuchSet(f"root run {root_run} committed no {lacking[0]} that its model_metrics were made from")
    return {name: chosen[name][0] for name in PARTS}


def verify_set(store: ObjectStore, parts: Mapping[str, Committed]) -> dict[str, float | None]:
    """Reads every file of the set, a piece at a time, and returns its figures; None where one is not defined.

    Raises:
        MixtureError: the parts don't belong together.
        ArtifactError: a file was deleted or changed after it was written.
    """
    refuse_mixtures(parts)
    for name in PARTS:
        for file in parts[name].manifest.files:
            verify_file(store, file)
    report = {file.name: read_file(store, file) for file in parts[METRICS].manifest.files}
    measured: Mapping[str, Any] = FORMATS["report"].decode(report).data
    figures = {name: measured["scores"][name] for name in FIGURES}
    # With a split by time the figures are of the newest loans, and this one is of others, for the rule to compare.
    beside = {"random_roc_auc": measured["random_split"]["scores"]["roc_auc"]} if "random_split" in measured else {}
    return figures | beside


def _find_part(store: ObjectStore, name: str, root_run: str) -> list[Committed]:
    keys = store.list_keys(f"{name}/{root_run}")
    places = [key.removesuffix(f"/{MANIFEST}") for key in keys if key.endswith(f"/{MANIFEST}")]
    if found := [committed for place in places if (committed := find_artifact(store, place))]:
        return found
    raise NoSuchSet(f"root run {root_run} committed no {name} in {store.uri}: name a run that ended well")


def _read_sources(part: Committed) -> dict[str, str]:
    facts = part.manifest.facts
    return {name: facts[f"{name}_sha256"] for name in PARTS if f"{name}_sha256" in facts}
