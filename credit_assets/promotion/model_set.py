"""A model set: dataset, split, model and metrics of one root run, which are read together or not at all."""

from collections.abc import Mapping

from resources.errors import PlatformError
from resources.store.artifacts import MANIFEST, Committed, find, read_file, read_manifest, verify_file
from resources.store.formats import FORMATS
from resources.store.object_store import ObjectStore
from resources.store.pointer import Position

DATASET, SPLIT, MODEL, METRICS = PARTS = ("loan_dataset", "test_split", "trained_model", "model_metrics")
SHOWN = ("roc_auc", "gini", "ks", "brier", "accuracy", "precision", "recall", "f1")


class MixtureError(PlatformError, ValueError):
    """Parts that are not of one root run, or were not made from each other."""


class NoSuchSet(PlatformError, ValueError):
    """A set that a person asked for and that is not there, or not whole."""


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


def named(parts: Mapping[str, Committed]) -> dict[str, dict[str, str]]:
    """How the pointer names a set: for each asset place and digest of its manifest, key and digest of its file."""
    return {
        name: {
            "place": parts[name].place,
            "manifest_sha256": parts[name].manifest_sha256,
            "key": parts[name].manifest.files[0].key,
            "sha256": parts[name].sha256,
        }
        for name in PARTS
    }


def promoted_set(store: ObjectStore, position: Position) -> dict[str, Committed]:
    """The parts that a position names, by what their manifests say. Raises ArtifactError if one was changed."""
    named = position.value["set"]
    return {name: read_manifest(store, named[name]["place"], named[name]["manifest_sha256"]) for name in PARTS}


def set_of_root_run(store: ObjectStore, root_run: str) -> dict[str, Committed]:
    """The set that a root run and its retries committed: of its newest metrics and what these were measured on.

    Raises:
        NoSuchSet: one of the four was never committed.
    """
    found: dict[str, list[Committed]] = {}
    for name in PARTS:
        keys = store.list_keys(f"{name}/{root_run}")
        places = [key.removesuffix(f"/{MANIFEST}") for key in keys if key.endswith(f"/{MANIFEST}")]
        found[name] = [committed for place in places if (committed := find(store, place))]
        if not found[name]:
            raise NoSuchSet(f"root run {root_run} committed no {name} in {store.uri}: name a run that ended well")
    metrics = max(found[METRICS], key=lambda each: each.manifest.committed_at)
    wanted = {METRICS: metrics.sha256, **_sources(metrics)}
    for model in found[MODEL]:
        if model.sha256 == wanted[MODEL]:
            wanted |= _sources(model)
    chosen = {name: [each for each in found[name] if each.sha256 == wanted.get(name)] for name in PARTS}
    if lacking := [name for name in PARTS if not chosen[name]]:
        raise NoSuchSet(f"root run {root_run} committed no {lacking[0]} that its model_metrics were made from")
    return {name: chosen[name][0] for name in PARTS}


def _sources(part: Committed) -> dict[str, str]:
    facts = part.manifest.facts
    return {name: facts[f"{name}_sha256"] for name in PARTS if f"{name}_sha256" in facts}


def verified_metrics(store: ObjectStore, parts: Mapping[str, Committed]) -> dict[str, float]:
    """Reads every file of the set, a piece at a time, and returns the scores that the metrics hold.

    Raises:
        MixtureError: the parts don't belong together.
        ArtifactError: a file was deleted or changed after it was written.
    """
    refuse_mixtures(parts)
    for name in PARTS:
        for file in parts[name].manifest.files:
            verify_file(store, file)
    report = {file.name: read_file(store, file) for file in parts[METRICS].manifest.files}
    scores = FORMATS["report"].decode(report).data["scores"]
    return {name: scores[name] for name in SHOWN}
